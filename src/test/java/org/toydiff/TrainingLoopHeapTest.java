package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.toydiff.data.Batch;
import org.toydiff.data.DataLoader;
import org.toydiff.data.TensorDataset;
import org.toydiff.nn.Dropout;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Layer;
import org.toydiff.nn.Linear;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.Adam;

/// The heap that a training loop takes from each of its threads: a plain loop over the batches of a prefetching loader,
/// with a compiled step whose launches several threads share.
class TrainingLoopHeapTest {
    private static final int BATCH = 64;
    private static final int BATCHES = 100;
    private static final int THREADS = 3;

    /// Until methods are compiled and vector kernels are proven, it is the JVM's own machinery that takes heap.
    private static final int MOST_EPOCHS = 200;

    private static final com.sun.management.ThreadMXBean HEAP =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    /// The bytes that the other threads have taken.
    private record Others(long workers, long loader) {
        static Others now() {
            return new Others(taken("toydiff-worker"), taken("toydiff-loader"));
        }

        private static long taken(String name) {
            return Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().startsWith(name))
                    .mapToLong(thread -> HEAP.getThreadAllocatedBytes(thread.threadId()))
                    .sum();
        }
    }

    /// The bytes of each batch of an epoch: of the calling thread in a whole iteration, and without its first and last
    /// batches; of the others likewise.
    private record Epoch(long iteration, long caller, long workers, long loader) {
        boolean isLittle() {
            return iteration < 512 && caller == 0 && workers == 0 && loader < 8 * BATCH + 3072;
        }
    }

    /// The loop, which reads the counters in two of its iterations.
    private static Epoch epoch(DataLoader loader, CompiledFunction step) {
        int from = 10;
        int to = BATCHES - 10;
        long[] caller = new long[2];
        Others[] others = new Others[2];
        long own = 0;
        long start = HEAP.getCurrentThreadAllocatedBytes();
        int i = 0;
        double sum = 0;
        for (Batch batch : loader) {
            sum += step.run(batch.x(), batch.y()).item();
            i++;
            if (i == from || i == to) {
                int k = i == from ? 0 : 1;
                long before = HEAP.getCurrentThreadAllocatedBytes();
                others[k] = Others.now();
                caller[k] = k == 0 ? HEAP.getCurrentThreadAllocatedBytes() : before;
                own += HEAP.getCurrentThreadAllocatedBytes() - before;
            }
        }
        long all = HEAP.getCurrentThreadAllocatedBytes() - start - own;
        assertTrue(sum > 0);
        int batches = to - from;
        return new Epoch(
                all / BATCHES,
                (caller[1] - caller[0]) / batches,
                (others[1].workers - others[0].workers) / batches,
                (others[1].loader - others[0].loader) / batches);
    }

    @Test
    void aPlainLoopOverAPrefetchingLoaderTakesNothingForAStep() {
        int threads = Threads.count();
        try (var arena = TensorArena.ofShared()) {
            Threads.set(THREADS);
            Layer net = new Sequential(new Linear(8, 260), new ReLU(), new Dropout(0.2), new Linear(260, 4));
            var optimizer = new Adam(net.parameters(), 0.001);
            Tensor x = Tensor.randn(BATCH * BATCHES, 8);
            try (var step = CompiledFunction.of((input, labels) -> {
                        optimizer.zeroGradients();
                        Tensor loss = Functional.crossEntropyLoss(net.forward(input), labels);
                        loss.backward(Release.EAGER);
                        optimizer.step();
                        return loss;
                    });
                    var loader = DataLoader.of(
                                    new TensorDataset(x, x.slice(1, 0, 4).argmax(1)), BATCH)
                            .shuffle(1)
                            .prefetch(2)) {
                List<Epoch> epochs = new ArrayList<>();
                while (epochs.size() < MOST_EPOCHS && epochs.stream().noneMatch(Epoch::isLittle)) {
                    epochs.add(epoch(loader, step));
                }
                assertTrue(epochs.getLast().isLittle(), epochs::toString);
            }
        } finally {
            Threads.set(threads);
        }
    }
}
