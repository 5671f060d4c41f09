package org.toydiff.bench.peer;

import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.DoubleSupplier;
import java.util.function.UnaryOperator;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.optim.SGD;

/// A function of two tensors and the operands that it is timed on.
///
/// @param first the first operand
/// @param second the second operand
/// @param function the function
/// @param moved returns the mean square of the change of the first parameter of a training step, or of the gradient
///     to the input of a block, after some runs; 0 for others
record TimedFunction(Tensor first, Tensor second, BinaryOperator<Tensor> function, DoubleSupplier moved) {
    /// Creates the function of a size, with operands in the innermost arena.
    @FunctionalInterface
    interface Definition {
        TimedFunction of(int size);
    }

    /// Returns a function that learns nothing.
    static TimedFunction of(Tensor first, Tensor second, BinaryOperator<Tensor> function) {
        return new TimedFunction(first, second, function, () -> 0);
    }

    /// Returns a training step: it clears gradients, computes the loss of an input and a target, goes backward and
    /// updates by SGD with momentum.
    static TimedFunction training(List<Tensor> parameters, Tensor x, Tensor target, BinaryOperator<Tensor> loss) {
        var optimizer = new SGD(parameters, StartingNumbers.SGD_RATE, StartingNumbers.MOMENTUM);
        Tensor learned = parameters.getFirst().detach();
        Tensor start = Tensor.emptyLike(learned).copyFrom(learned);
        BinaryOperator<Tensor> step = (input, wanted) -> {
            optimizer.zeroGradients();
            Tensor value = loss.apply(input, wanted);
            value.backward(Release.EAGER);
            optimizer.step();
            return value;
        };
        return new TimedFunction(x, target, step, () -> meanSquare(learned.subtract(start)));
    }

    /// Returns the forward and backward pass of a layer amid others: its output, and the gradients of its input and
    /// parameters from that of its output.
    static TimedFunction block(UnaryOperator<Tensor> block, List<Tensor> parameters, Tensor x, Tensor gradient) {
        // A compiled function's own inputs track no gradient.
        Tensor input = x.trackGradient();
        BinaryOperator<Tensor> pass = (g, unused) -> {
            input.zeroGradient();
            parameters.forEach(Tensor::zeroGradient);
            Tensor y = block.apply(input);
            y.backward(g, Release.EAGER);
            return y;
        };
        return new TimedFunction(gradient, gradient, pass, () -> meanSquare(input.gradient()));
    }

    Tensor call() {
        return function.apply(first, second);
    }

    /// Returns numbers in [0, 1), which every peer has.
    static Tensor inputs(long... shape) {
        Tensor inputs = Tensor.empty(shape);
        StartingNumbers.writeInputs(inputs.segment(), inputs.size());
        return inputs;
    }

    static double meanSquare(Tensor x) {
        return x.multiply(x).mean().item();
    }
}
