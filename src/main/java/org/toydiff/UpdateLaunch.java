package org.toydiff;

import java.util.Arrays;
import org.toydiff.internal.arithmetic.DecayPower;
import org.toydiff.internal.kernels.UpdateKernel;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.launch.UpdateWork;

/// Checks the tensors of an optimizer's step, and launches its passes.
final class UpdateLaunch {
    private UpdateLaunch() {}

    static void requireUnrecorded(String op) {
        Recorder.refuse(op, "depends on numbers of this run; call it inside CompiledFunction.onEachRun");
    }

    /// Checks the tensors of a step; state may be null.
    static UpdateWork begin(String op, Tensor parameter, Tensor gradient, Tensor first, Tensor second) {
        return begin(op, parameter, gradient, first, second, null);
    }

    static UpdateWork begin(String op, Tensor parameter, Tensor gradient, Tensor first, Tensor second, Tensor third) {
        requireUnrecorded(op);
        requireModifiable(op, parameter);
        if (gradient != null) {
            requireLike(op, parameter, gradient);
        }
        requireState(op, parameter, first);
        requireState(op, parameter, second);
        requireState(op, parameter, third);
        requireApart(op, parameter, gradient, first, second, third);
        return Scope.current().updates;
    }

    static void requireState(String op, Tensor parameter, Tensor state) {
        if (state != null) {
            requireModifiable(op, state);
            requireLike(op, parameter, state);
        }
    }

    static void run(
            UpdateWork work, UpdateKernel kernel, Tensor parameter, Tensor gradient, Tensor first, Tensor second) {
        run(work, kernel, parameter, gradient, first, second, null);
    }

    static void run(
            UpdateWork work,
            UpdateKernel kernel,
            Tensor parameter,
            Tensor gradient,
            Tensor first,
            Tensor second,
            Tensor third) {
        if (Launch.skips(parameter)) {
            return;
        }
        if (parameter.size() > 0) {
            Launch.update(work, kernel, parameter, gradient, first, second, third);
        }
        changed(parameter);
        changed(first);
        changed(second);
        changed(third);
    }

    static void changed(Tensor tensor) {
        if (tensor != null) {
            tensor.storage.version++;
        }
    }

    static void requireLike(String op, Tensor parameter, Tensor t) {
        requireWhole(op, t);
        parameter.requireSameDType(op, t);
        if (!Arrays.equals(parameter.shape, t.shape)) {
            throw new IllegalArgumentException(op + ": " + Shape.text(parameter.shape) + " and " + Shape.text(t.shape)
                    + " differ; state and gradient have the shape of their parameter");
        }
    }

    static void requireWhole(String op, Tensor t) {
        t.requireFloating(op);
        if (!t.isContiguous()) {
            throw new IllegalArgumentException(
                    op + ": " + Shape.text(t.shape) + " is not contiguous; use copyTo(arena) for one that is");
        }
    }

    static void requireModifiable(String op, Tensor t) {
        t.requireModifiable(op);
        requireWhole(op, t);
    }

    /// Throws when two of them overlap in memory: parts of a step run in any order.
    private static void requireApart(
            String op, Tensor parameter, Tensor gradient, Tensor first, Tensor second, Tensor third) {
        if (Tensor.mayShareMemory(parameter, gradient)
                || Tensor.mayShareMemory(parameter, first)
                || Tensor.mayShareMemory(parameter, second)
                || Tensor.mayShareMemory(parameter, third)
                || Tensor.mayShareMemory(gradient, first)
                || Tensor.mayShareMemory(gradient, second)
                || Tensor.mayShareMemory(gradient, third)
                || Tensor.mayShareMemory(first, second)
                || Tensor.mayShareMemory(first, third)
                || Tensor.mayShareMemory(second, third)) {
            throw new IllegalArgumentException(op + ": some of parameter " + Shape.text(parameter.shape)
                    + ", its gradient and its state overlap in memory; give each its own, as copyTo(arena) makes it");
        }
    }

    static void moments(UpdateWork work, long step, double beta1, double beta2, double epsilon) {
        work.coefficients.beta1 = beta1;
        work.coefficients.beta2 = beta2;
        work.coefficients.squareWeight = 1 - beta2;
        work.coefficients.rootCorrection = 1 / Math.sqrt(1 - DecayPower.of(beta2, step));
        work.coefficients.epsilon = epsilon;
    }

    static void squares(
            UpdateWork work, double rate, double squareDecay, double squareWeight, double epsilon, double weightDecay) {
        work.coefficients.rate = rate;
        work.coefficients.beta2 = squareDecay;
        work.coefficients.squareWeight = squareWeight;
        work.coefficients.rootCorrection = 1;
        work.coefficients.epsilon = epsilon;
        work.coefficients.decay = weightDecay;
    }

    /// {@return the total of the squares of r}
    static double lambMoments(UpdateWork work, Tensor parameter, Tensor gradient, Tensor first, Tensor second) {
        Launch.update(work, UpdateKernel.LAMB_MOMENTS, parameter, gradient, first, second, null);
        return Launch.update(work, UpdateKernel.LAMB_NORM, parameter, null, first, second, null);
    }

    static void lamb(UpdateWork work, long step, double beta1, double beta2, double epsilon, double weightDecay) {
        moments(work, step, beta1, beta2, epsilon);
        work.coefficients.scale = 1 / (1 - DecayPower.of(beta1, step));
        work.coefficients.decay = weightDecay;
    }
}
