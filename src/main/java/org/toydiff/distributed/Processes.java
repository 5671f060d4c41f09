package org.toydiff.distributed;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.toydiff.Blas;
import org.toydiff.Region;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.internal.mpi.Communicator;
import org.toydiff.internal.mpi.MpiType;
import org.toydiff.internal.mpi.Transfer;
import org.toydiff.nn.Layer;
import org.toydiff.optim.Optimizer;
import org.toydiff.optim.ParameterGroup;

/// The processes of a group as [DataParallel] uses them. Alone, all transfers are done already.
final class Processes {
    private final CheckedGroup group;

    /// Null for one process.
    private final MpiProcesses several;

    Processes(ProcessGroup group) {
        this.group = (CheckedGroup) group;
        this.several = group.size() > 1 && group instanceof MpiProcesses mpi ? mpi : null;
    }

    boolean isAlone() {
        return several == null;
    }

    int rank() {
        return group.rank();
    }

    /// Throws if the group is closed.
    void requireOpen(String op) {
        group.requireOpen("DataParallel: " + op);
    }

    /// Begins a transfer, which is null for one process.
    void begin(Transfer transfer) {
        if (several != null) {
            several.communicator().begin(transfer);
        }
    }

    void await(String op, Transfer transfer) {
        if (several != null) {
            several.communicator().await(op, transfer);
        }
    }

    /// Notes that this process takes no more part in collectives.
    void failed() {
        if (several != null) {
            several.failed();
        }
    }

    /// {@return whether others may be using the memory of transfers, because one has failed}
    boolean mayUseMemory() {
        return several != null && several.hasFailed();
    }

    /// {@return a check that all processes call the same, null for one process}
    Transfer agreement(String op, String arguments) {
        return several == null ? null : Communicator.agreement(op, arguments);
    }

    /// {@return the sum of doubles of all processes, in place; null for one process}
    Transfer sum(MemorySegment doubles) {
        return several == null ? null : Communicator.allReduce(doubles, MpiType.FLOAT64);
    }

    private void requireAlike(String what) {
        Transfer agreement = agreement("DataParallel", what);
        begin(agreement);
        await("DataParallel", agreement);
    }

    /// Throws unless all processes have the same program: one call for each fact, so that the message shows the first
    /// that differs.
    void requireAlike(Layer model, Optimizer optimizer, int shards) {
        String version = Processes.class.getPackage().getImplementationVersion();
        requireAlike("of toydiff " + (version == null ? "built from source" : version) + " with " + Blas.version());
        requireAlike("with " + shards + " shards and " + optimizer.getClass().getSimpleName());
        List<String> facts = new ArrayList<>();
        named("parameter", model.namedParameters(), facts);
        named("buffer", model.namedBuffers(), facts);
        optimizer.parameters().forEach(parameter -> facts.add("trained parameter " + Collectives.describe(parameter)));
        requireAlike("of " + facts.size() + " parameters and buffers in "
                + optimizer.groups().size() + " groups");
        facts.forEach(this::requireAlike);
        for (ParameterGroup group : optimizer.groups()) {
            requireAlike("with a group of " + group.parameters().size() + " parameters, learning rate " + group.lr()
                    + ", weight decay " + group.weightDecay());
        }
    }

    private static void named(String kind, Map<String, Tensor> tensors, List<String> facts) {
        tensors.forEach((name, tensor) -> facts.add(kind + " " + name + " " + Collectives.describe(tensor)));
    }

    /// Copies the parameters and buffers of rank 0, and the state of its random generator, to all.
    void copyFromFirst(Layer model, List<Tensor> parameters) {
        if (several == null) {
            return;
        }
        Set<Tensor> all = new LinkedHashSet<>(model.namedParameters().values());
        all.addAll(model.namedBuffers().values());
        all.addAll(parameters);
        all.forEach(this::copyFromFirst);
        try (var scratch = TensorArena.ofConfined()) {
            Tensor state = Tensor.randomState();
            group.broadcast(state, 0);
            Tensor.setRandomState(state);
        }
    }

    private void copyFromFirst(Tensor tensor) {
        if (tensor.isContiguous()) {
            group.broadcast(tensor, 0);
            return;
        }
        try (var scratch = TensorArena.ofConfined()) {
            Tensor copy = tensor.detach().copyTo(scratch);
            group.broadcast(copy, 0);
            tensor.copyFrom(copy);
        }
    }

    /// Begins the region of [DataParallel#synchronizeBatchNorm()], null for one process.
    Region synchronizeBatchNorm(Layer model, int shards) {
        if (shards != group.size()) {
            throw new IllegalStateException("synchronizeBatchNorm: " + shards + " shards for " + group.size()
                    + (group.size() == 1 ? " process" : " processes")
                    + ": a process computes its shards one after another, and an earlier one cannot wait for a later"
                    + " one; use as many shards as processes");
        }
        requireAlike("with synchronizeBatchNorm()");
        return several == null ? null : model.synchronizeBatchNorm(new AllReduce(group)::sum);
    }

    /// Replaces numbers by their sums over all processes.
    void sum(double[] numbers, Sums scratch) {
        if (several != null) {
            MemorySegment.copy(numbers, 0, scratch.memory, JAVA_DOUBLE, 0, numbers.length);
            scratch.sum(this);
            MemorySegment.copy(scratch.memory, JAVA_DOUBLE, 0, numbers, 0, numbers.length);
        }
    }

    /// Memory for numbers to be added up.
    static final class Sums {
        private final MemorySegment memory;
        private final Transfer transfer;
        private final Transfer agreement;

        Sums(Processes processes, TensorArena home, int most) {
            memory = home.allocate(bytes(most), 64);
            transfer = processes.sum(memory);
            agreement = processes.agreement("DataParallel: a norm or a check of all gradients", "");
        }

        static long bytes(int most) {
            return Math.max(1, most) * (long) Double.BYTES;
        }

        private void sum(Processes processes) {
            processes.begin(agreement);
            processes.begin(transfer);
            processes.await("sum", agreement);
            processes.await("sum", transfer);
        }
    }
}
