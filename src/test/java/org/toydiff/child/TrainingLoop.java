package org.toydiff.child;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.toydiff.CompiledFunction;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.Threads;
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

/// Runs a plain loop over the batches of a prefetching loader, with a compiled step whose launches three threads
/// share, and prints for each epoch the bytes of Java heap that a batch takes: from the calling thread in a whole
/// iteration, and without its first and last batches; from the workers and from the loader's thread likewise.
public final class TrainingLoop {
    private static final int BATCH = 64;
    private static final int BATCHES = 100;
    private static final int THREADS = 3;

    private static final ThreadMXBean HEAP = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private TrainingLoop() {}

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

    /// The loop, which reads the counters in two of its iterations.
    private static long[] epoch(DataLoader loader, CompiledFunction step) {
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
        int batches = to - from;
        return new long[] {
            Double.isNaN(sum) ? -1 : all / BATCHES,
            (caller[1] - caller[0]) / batches,
            (others[1].workers - others[0].workers) / batches,
            (others[1].loader - others[0].loader) / batches
        };
    }

    /// Ends when a batch takes nothing from the calling thread, at the latest after `arguments[0]` epochs.
    public static void main(String[] arguments) {
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
                long caller = -1;
                for (int epoch = 0; epoch < Integer.parseInt(arguments[0]) && caller != 0; epoch++) {
                    long[] bytes = epoch(loader, step);
                    System.out.println(bytes[0] + " " + bytes[1] + " " + bytes[2] + " " + bytes[3]);
                    caller = bytes[1];
                }
            }
        }
    }
}
