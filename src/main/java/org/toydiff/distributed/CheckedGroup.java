package org.toydiff.distributed;

import org.toydiff.Autograd;
import org.toydiff.Tensor;

/// A group that checks each call before it passes it on.
abstract sealed class CheckedGroup implements ProcessGroup permits SingleProcess, MpiProcesses {
    private boolean closed;

    /// Throws if the group is closed.
    final void requireOpen(String op) {
        if (closed) {
            throw new IllegalStateException(op + ": the process group is closed");
        }
    }

    @Override
    public final void allReduce(Tensor tensor) {
        requireOpen("allReduce");
        Collectives.requireReduced(tensor);
        addUp(tensor);
    }

    @Override
    public final void broadcast(Tensor tensor, int root) {
        requireOpen("broadcast");
        Collectives.requireBroadcast(tensor, root, size());
        copyFromRoot(tensor, root);
    }

    @Override
    public final void allGather(Tensor part, Tensor whole) {
        requireOpen("allGather");
        Collectives.requireGathered(part, whole, size());
        try (var unrecorded = Autograd.noGradient()) {
            collect(part, whole);
        }
    }

    @Override
    public final void barrier() {
        requireOpen("barrier");
        awaitAll();
    }

    @Override
    public final void close() {
        if (!closed) {
            closed = true;
            leave();
        }
    }

    abstract void addUp(Tensor tensor);

    abstract void copyFromRoot(Tensor tensor, int root);

    abstract void collect(Tensor part, Tensor whole);

    abstract void awaitAll();

    /// Leaves the group. Called once.
    abstract void leave();
}
