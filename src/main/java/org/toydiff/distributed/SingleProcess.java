package org.toydiff.distributed;

import org.toydiff.Tensor;

/// A group of one.
final class SingleProcess extends CheckedGroup {
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
    void addUp(Tensor tensor) {
        // The sum of one addend.
    }

    @Override
    void copyFromRoot(Tensor tensor, int root) {
        // This process is the root.
    }

    @Override
    void collect(Tensor part, Tensor whole) {
        whole.copyFrom(part.detach());
    }

    @Override
    void awaitAll() {
        // There are no others.
    }

    @Override
    void leave() {
        // There is nothing to leave.
    }
}
