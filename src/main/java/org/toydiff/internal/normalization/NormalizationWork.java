package org.toydiff.internal.normalization;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.ContiguousKernels;
import org.toydiff.internal.workers.Work;

/// A normalisation `y = (x − mean) / √(variance + ε)·weight + bias` in progress, of contiguous floats or doubles. One
/// object per thread, like [org.toydiff.internal.launch.ElementWork].
///
/// Operands are set one by one before each run, and forgotten after it. Offsets are in elements.
public abstract sealed class NormalizationWork extends Work permits RowNormalizationWork, GroupNormalizationWork {
    /// Sums that a kernel returns, one array per thread.
    static final ThreadLocal<double[]> SUMS = ThreadLocal.withInitial(() -> new double[4]);

    /// An operand, or none.
    static final class Operand {
        MemorySegment memory;
        long start;

        boolean isGiven() {
            return memory != null;
        }
    }

    final Operand x = new Operand();
    final Operand weight = new Operand();
    final Operand bias = new Operand();
    final Operand g = new Operand();
    final Operand y = new Operand();
    final Operand toWeight = new Operand();
    final Operand toBias = new Operand();
    private final Operand[] operands = {x, weight, bias, g, y, toWeight, toBias};
    boolean wide;
    double epsilon;
    ContiguousKernels kernels;

    /// Sets the input of the next run, the type of all operands, and ε.
    public void input(boolean wide, double epsilon, MemorySegment x, long start) {
        this.wide = wide;
        this.epsilon = epsilon;
        set(this.x, x, start);
        kernels = ContiguousKernels.of(wide);
    }

    /// Sets the weight of the next run.
    public void weight(MemorySegment weight, long start) {
        set(this.weight, weight, start);
    }

    /// Sets the bias of the next run, if there is one.
    public void bias(MemorySegment bias, long start) {
        set(this.bias, bias, start);
    }

    /// Sets the result of the next run forward, or of one backward the gradient to x, if that is wanted.
    public void result(MemorySegment y, long start) {
        set(this.y, y, start);
    }

    /// Sets the gradient of the result, for the next run backward.
    public void gradient(MemorySegment g, long start) {
        set(this.g, g, start);
    }

    /// Sets where the next run backward puts the parts of the gradient to the weight, which the caller adds up.
    public void toWeight(MemorySegment parts, long start) {
        set(this.toWeight, parts, start);
    }

    /// Sets where the next run backward puts the parts of the gradient to the bias, which the caller adds up.
    public void toBias(MemorySegment parts, long start) {
        set(this.toBias, parts, start);
    }

    static void set(Operand operand, MemorySegment memory, long start) {
        operand.memory = memory;
        operand.start = start;
    }

    void forget() {
        for (Operand operand : operands) {
            operand.memory = null;
        }
    }

    /// {@return the variance of n elements, by the sum of the squares of their differences from one of them, and the
    /// difference of the mean from it} So one pass over memory gives both mean and variance. No element is further
    /// from the mean than √n standard deviations, and double has digits to spare.
    static double variance(double squares, long n, double offset) {
        return Math.max(0, squares / n - offset * offset);
    }

    final double reciprocalRoot(double variance) {
        return 1 / Math.sqrt(variance + epsilon);
    }

    final double get(Operand operand, long at) {
        long index = operand.start + at;
        return wide ? operand.memory.getAtIndex(JAVA_DOUBLE, index) : operand.memory.getAtIndex(JAVA_FLOAT, index);
    }

    final void set(Operand operand, long at, double value) {
        long index = operand.start + at;
        if (wide) {
            operand.memory.setAtIndex(JAVA_DOUBLE, index, value);
        } else {
            operand.memory.setAtIndex(JAVA_FLOAT, index, (float) value);
        }
    }
}
