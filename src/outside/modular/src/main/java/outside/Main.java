package outside;

import java.util.Locale;
import org.toydiff.Blas;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Linear;
import org.toydiff.optim.SGD;

/// Fits `1 + 2a + 3b` and predicts it at (2, 2).
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.of(new float[][] {{0, 0}, {1, 0}, {0, 1}, {1, 1}});
            Tensor y = Tensor.of(new float[][] {{1}, {3}, {4}, {6}});
            Linear line = new Linear(2, 1);
            SGD optimizer = new SGD(line.parameters(), 0.5);
            for (int step = 0; step < 500; step++) {
                optimizer.zeroGradients();
                Functional.mseLoss(line.forward(x), y).backward();
                optimizer.step();
            }
            double prediction = line.forward(Tensor.of(2, 2)).item();
            System.out.printf(Locale.ROOT, "predicted %.2f by %s%n", prediction, Blas.version());
        }
    }
}
