package org.toydiff.examples;

import static org.toydiff.nn.Functional.mseLoss;

import java.util.Locale;
import org.toydiff.Autograd;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.nn.Linear;
import org.toydiff.optim.SGD;

/// Fits a line through noise, `y = 2x + noise`, by 15,000 steps of gradient descent, and compares the slope with
/// the closed form.
public final class Regression {
    private static final int EPOCHS = 15_000;

    private Regression() {}

    /// Fits the line and prints both slopes.
    ///
    /// @param arguments not used
    public static void main(String[] arguments) {
        Tensor.manualSeed(0);
        try (var model = TensorArena.ofShared()) {
            Tensor x = Tensor.arange(-1, 1, 0.01).reshape(-1, 1);
            Tensor y = x.multiply(2).add(Tensor.randn(x.shape()).multiply(0.3));
            var line = new Linear(1, 1, false);
            var optimizer = new SGD(line.parameters(), 0.01);
            for (int epoch = 1; epoch <= EPOCHS; epoch++) {
                double loss = step(line, optimizer, x, y);
                if (epoch % 1500 == 0) {
                    System.out.printf(Locale.ROOT, "epoch %5d/%d  loss %.6f%n", epoch, EPOCHS, loss);
                }
            }
            double slope = line.parameters().getFirst().item();
            System.out.printf(Locale.ROOT, "slope: fitted %.6f, closed form %.6f%n", slope, closedForm(x, y));
        }
    }

    private static double step(Linear line, SGD optimizer, Tensor x, Tensor y) {
        try (var step = TensorArena.ofConfined()) {
            Tensor loss = mseLoss(line.forward(x), y);
            loss.backward(Release.EAGER);
            optimizer.step();
            optimizer.zeroGradients();
            return loss.item();
        }
    }

    /// Returns the least-squares slope through the origin: `Σxy / Σx²`.
    private static double closedForm(Tensor x, Tensor y) {
        try (var scratch = TensorArena.ofConfined();
                var off = Autograd.noGradient()) {
            return x.multiply(y).sum().item() / x.multiply(x).sum().item();
        }
    }
}
