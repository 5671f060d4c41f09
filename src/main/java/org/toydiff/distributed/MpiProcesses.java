package org.toydiff.distributed;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.toydiff.Autograd;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.Threads;
import org.toydiff.Updates;
import org.toydiff.internal.mpi.Communicator;
import org.toydiff.internal.mpi.MpiType;
import org.toydiff.internal.mpi.Transfer;

/// The processes of an MPI job.
final class MpiProcesses extends CheckedGroup {
    private static final AtomicBoolean JOINED = new AtomicBoolean();

    /// The variables in which Open MPI's and Slurm's launchers pass the number of processes on this machine.
    private static final String[] LOCAL_SIZES = {"OMPI_COMM_WORLD_LOCAL_SIZE", "SLURM_NTASKS_PER_NODE"};

    private final Communicator communicator;
    private final JobEnd jobEnd;

    private MpiProcesses(Communicator communicator) {
        this.communicator = communicator;
        this.jobEnd = new JobEnd(communicator);
    }

    static MpiProcesses join(Duration patience) {
        if (!patience.isPositive()) {
            throw new IllegalArgumentException("mpi: the patience " + patience + " must be positive");
        }
        if (!JOINED.compareAndSet(false, true)) {
            throw new IllegalStateException(
                    "mpi: this process has joined its group before, and MPI begins once in a process; pass that group on");
        }
        try {
            shareProcessors();
            var group = new MpiProcesses(Communicator.start(patience));
            group.jobEnd.install();
            return group;
        } catch (UnsatisfiedLinkError e) {
            JOINED.set(false);
            throw e;
        }
    }

    /// Divides the processors of this machine among its processes, unless a property says how many threads each has.
    private static void shareProcessors() {
        for (String variable : LOCAL_SIZES) {
            String size = System.getenv(variable);
            if (size != null && size.matches("[1-9]\\d{0,5}") && System.getProperty("toydiff.threads") == null) {
                int processors = Runtime.getRuntime().availableProcessors();
                Threads.set(Math.max(1, Math.min(Threads.count(), processors / Integer.parseInt(size))));
                return;
            }
        }
    }

    Communicator communicator() {
        return communicator;
    }

    /// Keeps [#close()] from waiting for the others, who may wait for this process.
    void failed() {
        jobEnd.failed();
    }

    boolean hasFailed() {
        return jobEnd.hasFailed();
    }

    @Override
    public int rank() {
        return communicator.rank();
    }

    @Override
    public int size() {
        return communicator.size();
    }

    @Override
    public String library() {
        return communicator.library();
    }

    @Override
    void addUp(Tensor tensor) {
        Transfer agreement = Communicator.agreement("allReduce", Collectives.describe(tensor));
        if (tensor.dtype() == DType.BFLOAT16) {
            addUpAsFloats(agreement, tensor);
        } else {
            MpiType type = MpiType.valueOf(tensor.dtype().name());
            modify("allReduce", agreement, tensor, elements -> Communicator.allReduce(elements, type));
        }
    }

    private void addUpAsFloats(Transfer agreement, Tensor tensor) {
        try (var memory = new TransferMemory(communicator);
                var scratch = TensorArena.ofConfined();
                var unrecorded = Autograd.noGradient()) {
            MemorySegment elements = memory.of(tensor.size() * Float.BYTES);
            Tensor wide = Tensor.wrap(elements, DType.FLOAT32, tensor.shape());
            wide.copyFrom(tensor.cast(DType.FLOAT32));
            communicator.run("allReduce", agreement, Communicator.allReduce(elements, MpiType.FLOAT32));
            tensor.copyFrom(wide.cast(DType.BFLOAT16));
        }
    }

    @Override
    void copyFromRoot(Tensor tensor, int root) {
        Transfer agreement = Communicator.agreement("broadcast", Collectives.describe(tensor) + " from rank " + root);
        modify("broadcast", agreement, tensor, elements -> Communicator.broadcast(elements, root));
    }

    /// Runs a transfer that replaces the elements of a tensor.
    private void modify(String op, Transfer agreement, Tensor tensor, Function<MemorySegment, Transfer> transfer) {
        MemorySegment own = tensor.segment();
        try (var memory = new TransferMemory(communicator)) {
            MemorySegment used = memory.lasting(own);
            TransferMemory.copy(own, used);
            communicator.run(op, agreement, transfer.apply(used));
            TransferMemory.copy(used, own);
        }
        Updates.changed(tensor);
    }

    @Override
    void collect(Tensor part, Tensor whole) {
        Transfer agreement = Communicator.agreement("allGather", Collectives.describe(part));
        try (var memory = new TransferMemory(communicator)) {
            MemorySegment from = memory.lasting(part.segment());
            MemorySegment to = memory.lasting(whole.segment());
            TransferMemory.copy(part.segment(), from);
            communicator.run("allGather", agreement, Communicator.allGather(from, to));
            TransferMemory.copy(to, whole.segment());
        }
        Updates.changed(whole);
    }

    @Override
    void awaitAll() {
        communicator.run("barrier", Communicator.agreement("barrier", ""));
    }

    @Override
    void leave() {
        if (hasFailed()) {
            return;
        }
        communicator.run("close", Communicator.agreement("close", ""));
        communicator.end();
        jobEnd.remove();
    }
}
