package org.toydiff.distributed;

import org.toydiff.CustomOp;
import org.toydiff.Tensor;

/// The sum of a tensor over the processes of a group, as a differentiable op that every process calls.
///
/// The loss of every process depends on the sum, so the gradient to each addend is the sum of the gradients of all
/// processes. The addends are collected and then added by one op, so the bits do not depend on MPI.
record AllReduce(ProcessGroup group) implements CustomOp {
    /// {@return the sum of the tensors of all processes, whose shapes and dtypes are equal}
    Tensor sum(Tensor addend) {
        return Tensor.custom(this, addend).sum(0);
    }

    @Override
    public String name() {
        return "allReduce";
    }

    @Override
    public long[] shape(Tensor... inputs) {
        long[] addend = inputs[0].shape();
        long[] addends = new long[addend.length + 1];
        addends[0] = group.size();
        System.arraycopy(addend, 0, addends, 1, addend.length);
        return addends;
    }

    @Override
    public void compute(Tensor[] inputs, Tensor y) {
        group.allGather(inputs[0], y);
    }

    @Override
    public boolean readsInput(int input) {
        return false;
    }

    @Override
    public Tensor gradient(int input, Tensor g, Tensor[] inputs, Tensor y) {
        // Only the sum of the addends is used, so all of them have one gradient here.
        return sum(g.get(0));
    }
}
