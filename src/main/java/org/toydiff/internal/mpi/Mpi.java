package org.toydiff.internal.mpi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.toydiff.internal.openmpi.OpenMpi.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;

/// Calls Open MPI. Not thread-safe: one thread makes all calls but [#abort].
///
/// The handles of Open MPI are addresses of symbols of the library, which its header defines as macros, so that
/// jextract has not bound them.
final class Mpi {
    /// MPI_IN_PLACE.
    private static final MemorySegment IN_PLACE = MemorySegment.ofAddress(1);

    /// The most elements of one call, whose counts are ints.
    private static final long MOST = 1 << 30;

    private final String library;
    private final MemorySegment world;
    private final MemorySegment sum;
    private final MemorySegment[] types = new MemorySegment[MpiType.values().length];
    private final MemorySegment request = Arena.global().allocate(ADDRESS);
    private final MemorySegment flag = Arena.global().allocate(JAVA_INT);
    private final int rank;
    private final int size;

    /// Loads the library and begins to use it.
    Mpi() {
        String path = MpiLibrary.load();
        world = symbol("ompi_mpi_comm_world");
        sum = symbol("ompi_mpi_op_sum");
        for (MpiType type : MpiType.values()) {
            types[type.ordinal()] = symbol(type.symbol);
        }
        check(
                "MPI_Init_thread",
                MPI_Init_thread(MemorySegment.NULL, MemorySegment.NULL, MPI_THREAD_SERIALIZED(), flag));
        if (flag.get(JAVA_INT, 0) < MPI_THREAD_SERIALIZED()) {
            throw new IllegalStateException(path + " was built without support for threads; install one with it");
        }
        check("MPI_Comm_set_errhandler", MPI_Comm_set_errhandler(world, symbol("ompi_mpi_errors_return")));
        check("MPI_Comm_rank", MPI_Comm_rank(world, flag));
        rank = flag.get(JAVA_INT, 0);
        check("MPI_Comm_size", MPI_Comm_size(world, flag));
        size = flag.get(JAVA_INT, 0);
        library = version() + " (" + path + ")";
    }

    private static MemorySegment symbol(String name) {
        return SymbolLookup.loaderLookup().findOrThrow(name);
    }

    int rank() {
        return rank;
    }

    int size() {
        return size;
    }

    /// {@return the version and the path of the library}
    String library() {
        return library;
    }

    private String version() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(MPI_MAX_LIBRARY_VERSION_STRING());
            check("MPI_Get_library_version", MPI_Get_library_version(text, flag));
            String version = text.getString(0);
            int comma = version.indexOf(',');
            return comma < 0 ? version : version.substring(0, comma);
        }
    }

    /// Adds up the elements of all ranks, in place.
    void allReduce(MemorySegment elements, MpiType type) {
        long count = elements.byteSize() / type.bytes;
        for (long at = 0; at < count; at += MOST) {
            int part = (int) Math.min(MOST, count - at);
            MemorySegment from = elements.asSlice(at * type.bytes, (long) part * type.bytes);
            check("MPI_Allreduce", MPI_Allreduce(IN_PLACE, from, part, types[type.ordinal()], sum, world));
        }
    }

    /// Copies the bytes of one rank to all.
    void broadcast(MemorySegment bytes, int root) {
        for (long at = 0; at < bytes.byteSize(); at += MOST) {
            int part = (int) Math.min(MOST, bytes.byteSize() - at);
            check("MPI_Bcast", MPI_Bcast(bytes.asSlice(at, part), part, of(MpiType.BYTE), root, world));
        }
    }

    /// Copies the parts of all ranks, in their order, to each.
    void allGather(MemorySegment part, MemorySegment whole) {
        MpiType unit = unit(part.byteSize());
        int count = count(part.byteSize(), unit);
        check("MPI_Allgather", MPI_Allgather(part, count, of(unit), whole, count, of(unit), world));
    }

    /// Begins to copy the parts of all ranks, in their order, to each, until [#isComplete()].
    void beginAllGather(MemorySegment part, MemorySegment whole) {
        MpiType unit = unit(part.byteSize());
        int count = count(part.byteSize(), unit);
        check("MPI_Iallgather", MPI_Iallgather(part, count, of(unit), whole, count, of(unit), world, request));
    }

    /// Begins to send part i of `from` to rank i, and to receive that of rank i at part i of `to`,
    /// until [#isComplete()].
    void beginAllToAll(MemorySegment from, MemorySegment to) {
        MpiType unit = unit(from.byteSize() / size);
        int count = count(from.byteSize() / size, unit);
        check("MPI_Ialltoall", MPI_Ialltoall(from, count, of(unit), to, count, of(unit), world, request));
    }

    /// {@return whether the operation that was begun last has ended} It makes progress during this call only.
    boolean isComplete() {
        check("MPI_Test", MPI_Test(request, flag, MemorySegment.NULL));
        return flag.get(JAVA_INT, 0) != 0;
    }

    private MemorySegment of(MpiType type) {
        return types[type.ordinal()];
    }

    /// {@return the largest unit in which bytes can be counted: counts are ints}
    private static MpiType unit(long bytes) {
        return bytes % Long.BYTES == 0 ? MpiType.INT64 : bytes % Integer.BYTES == 0 ? MpiType.INT32 : MpiType.BYTE;
    }

    private static int count(long bytes, MpiType unit) {
        long count = bytes / unit.bytes;
        if (count > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("MPI: " + bytes + " bytes for each rank are " + count
                    + " units in one call; it takes at most " + Integer.MAX_VALUE + ": send fewer at a time");
        }
        return (int) count;
    }

    void end() {
        check("MPI_Finalize", MPI_Finalize());
    }

    /// Ends all processes of the job. The only call that any thread may make.
    void abort(int status) {
        int unused = MPI_Abort(world, status);
    }

    private static void check(String function, int code) {
        if (code != MPI_SUCCESS()) {
            throw new IllegalStateException(function + " failed: " + text(code));
        }
    }

    private static String text(int code) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(MPI_MAX_ERROR_STRING());
            MemorySegment length = arena.allocate(JAVA_INT);
            return MPI_Error_string(code, text, length) == MPI_SUCCESS() ? text.getString(0) : "error " + code;
        }
    }
}
