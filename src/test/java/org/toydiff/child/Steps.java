package org.toydiff.child;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Linear;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.SGD;

/// Trains a perceptron of three layers, and prints the bytes of Java heap that all threads together allocate for a
/// step, one line for each round of a thousand steps.
public final class Steps {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /// The graph of 784-512-256-10, with smaller products.
    private static final int[] WIDTHS = {64, 48, 32, 10};

    private static final int BATCH = 128;
    private static final int STEPS = 1_000;

    private final Sequential net = new Sequential(
            new Linear(WIDTHS[0], WIDTHS[1]),
            new ReLU(),
            new Linear(WIDTHS[1], WIDTHS[2]),
            new ReLU(),
            new Linear(WIDTHS[2], WIDTHS[3]));
    private final SGD optimizer = new SGD(net.parameters(), 0.1).momentum(0.9);
    private final Tensor x = Tensor.rand(BATCH, WIDTHS[0]);
    private final Tensor labels = Tensor.of(new int[BATCH]);

    private Steps() {}

    /// Runs as many rounds as its first argument says after the first that allocates at most as many bytes for each
    /// step as the second; gives up after as many as the third.
    public static void main(String[] arguments) {
        int later = Integer.parseInt(arguments[0]);
        long bytes = Long.parseLong(arguments[1]);
        int most = Integer.parseInt(arguments[2]);
        try (var arena = TensorArena.ofShared()) {
            Tensor.manualSeed(1);
            var steps = new Steps();
            for (int round = 0; round < most && steps.round() > bytes; round++) {
                // The compiler takes its time.
            }
            for (int round = 0; round < later; round++) {
                System.out.println(steps.round());
            }
        }
    }

    private long round() {
        long before = THREADS.getTotalThreadAllocatedBytes();
        for (int i = 0; i < STEPS; i++) {
            try (var step = TensorArena.ofConfined()) {
                Tensor loss = Functional.crossEntropyLoss(net.forward(x), labels);
                loss.backward(Release.EAGER);
                optimizer.step();
                optimizer.zeroGradients();
            }
        }
        return (THREADS.getTotalThreadAllocatedBytes() - before) / STEPS;
    }
}
