package org.toydiff.distributed;

import org.toydiff.Autograd;
import org.toydiff.Tensor;

/// A group of one.
final class SingleProcess implements ProcessGroup {
    private boolean closed;

    @Override
    public int rank() {
        return 0;
    }

    @Override
    public int size() {
        return 1;
    }

    @Override
    public String library() {
        return "none: a single process";
    }

    @Override
    public void allReduce(Tensor tensor) {
        requireOpen("allReduce");
        Collectives.requireReduced(tensor);
    }

    @Override
    public void broadcast(Tensor tensor, int root) {
        requireOpen("broadcast");
        Collectives.requireBroadcast(tensor, root, 1);
    }

    @Override
    public void allGather(Tensor part, Tensor whole) {
        requireOpen("allGather");
        Collectives.requireGathered(part, whole, 1);
        try (var unrecorded = Autograd.noGradient()) {
            whole.copyFrom(part.detach());
        }
    }

    @Override
    public void barrier() {
        requireOpen("barrier");
    }

    private void requireOpen(String op) {
        if (closed) {
            throw new IllegalStateException(op + ": the process group is closed");
        }
    }

    @Override
    public void close() {
        closed = true;
    }
}
