package org.toydiff.distributed;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
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
final class MpiProcesses implements ProcessGroup {
    private static final AtomicBoolean JOINED = new AtomicBoolean();

    /// The number of processes on this machine, as Open MPI's and Slurm's launchers say it.
    private static final String[] LOCAL_SIZES = {"OMPI_COMM_WORLD_LOCAL_SIZE", "SLURM_NTASKS_PER_NODE"};

    private final Communicator communicator;
    private final JobEnd jobEnd;
    private boolean closed;

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
    public void allReduce(Tensor tensor) {
        requireOpen("allReduce");
        Collectives.requireReduced(tensor);
        Transfer agreement = Communicator.agreement("allReduce", Collectives.describe(tensor));
        if (tensor.dtype() == DType.BFLOAT16) {
            try (var scratch = TensorArena.ofConfined();
                    var unrecorded = Autograd.noGradient()) {
                Tensor wide = tensor.detach().cast(DType.FLOAT32);
                communicator.run("allReduce", agreement, Communicator.allReduce(memory(wide), MpiType.FLOAT32));
                tensor.copyFrom(wide.cast(DType.BFLOAT16));
            }
        } else {
            MpiType type = MpiType.valueOf(tensor.dtype().name());
            communicator.run("allReduce", agreement, Communicator.allReduce(memory(tensor), type));
            Updates.changed(tensor);
        }
    }

    @Override
    public void broadcast(Tensor tensor, int root) {
        requireOpen("broadcast");
        Collectives.requireBroadcast(tensor, root, size());
        Transfer agreement = Communicator.agreement("broadcast", Collectives.describe(tensor) + " from rank " + root);
        communicator.run("broadcast", agreement, Communicator.broadcast(memory(tensor), root));
        Updates.changed(tensor);
    }

    @Override
    public void allGather(Tensor part, Tensor whole) {
        requireOpen("allGather");
        Collectives.requireGathered(part, whole, size());
        Transfer agreement = Communicator.agreement("allGather", Collectives.describe(part));
        communicator.run("allGather", agreement, Communicator.allGather(memory(part), memory(whole)));
        Updates.changed(whole);
    }

    @Override
    public void barrier() {
        requireOpen("barrier");
        communicator.run("barrier", Communicator.agreement("barrier", ""));
    }

    /// Memory that the communication thread may use: that of a confined arena by its address, because its owner waits.
    private MemorySegment memory(Tensor tensor) {
        MemorySegment own = tensor.segment();
        return communicator.reaches(own)
                ? own
                : MemorySegment.ofAddress(own.address()).reinterpret(own.byteSize());
    }

    void requireOpen(String op) {
        if (closed) {
            throw new IllegalStateException(op + ": the process group is closed");
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (jobEnd.hasFailed()) {
            return;
        }
        communicator.run("close", Communicator.agreement("close", ""));
        communicator.end();
        jobEnd.remove();
    }
}
