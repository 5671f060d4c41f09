package org.toydiff.child;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.toydiff.CompiledFunction;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.distributed.DataParallel;
import org.toydiff.distributed.ProcessGroup;
import org.toydiff.nn.BatchNorm1d;
import org.toydiff.nn.Dropout;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Layer;
import org.toydiff.nn.Linear;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.Adam;

/// Trains on two shards for each process, and prints the bytes of Java heap that a step takes from the calling thread
/// and from that which communicates, in the last of several rounds: of the shards alone, without [DataParallel]; of
/// eager steps; of compiled ones. Alone, or in the processes of `mpirun`.
public final class ParallelHeap {
    private static final int STEPS = 1_000;

    /// The compiler has seen each method often enough in the first two.
    private static final int ROUNDS = 4;

    private static final int EACH = 4;

    private static final ThreadMXBean HEAP = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final Layer net = new Sequential(
            new Linear(8, 16), new BatchNorm1d(16), new Dropout(0.2), new Linear(16, 16), new Linear(16, 4));
    private final Tensor[] x;
    private final Tensor[] y;
    private final Tensor weight;
    private final int shards;

    private ParallelHeap(int shards) {
        this.shards = shards;
        x = new Tensor[shards];
        y = new Tensor[shards];
        for (int shard = 0; shard < shards; shard++) {
            x[shard] = Tensor.randn(EACH, 8);
            y[shard] = Tensor.of(new int[] {0, 3, 1, 2});
        }
        weight = Tensor.scalar(1.0 / shards);
    }

    public static void main(String[] arguments) {
        boolean launched = System.getenv("OMPI_COMM_WORLD_SIZE") != null;
        try (var group = launched ? ProcessGroup.mpi() : ProcessGroup.single();
                var arena = TensorArena.ofShared()) {
            new ParallelHeap(2 * group.size()).print(group);
        }
    }

    private Tensor loss(int shard) {
        return Functional.crossEntropyLoss(net.forward(x[shard]), y[shard]);
    }

    private void print(ProcessGroup group) {
        var optimizer = new Adam(net.parameters(), 1e-3);
        print("shards", () -> backwardOfShards(optimizer));
        try (var parallel = DataParallel.of(net, optimizer, group, shards);
                var pass = CompiledFunction.of((inputs, labels) -> {
                    Tensor loss = Functional.crossEntropyLoss(net.forward(inputs), labels);
                    loss.backward(weight, Release.EAGER);
                    return loss;
                })) {
            print("eager", () -> {
                parallel.backward(this::loss);
                parallel.clipNorm(1);
                parallel.step();
            });
            print("compiled", () -> {
                parallel.backwardBy(shard -> pass.run(x[shard], y[shard]).item(), shard -> 1.0 / shards);
                parallel.clipNorm(1);
                parallel.step();
            });
        }
    }

    private void backwardOfShards(Adam optimizer) {
        for (int shard = 0; shard < 2; shard++) {
            try (var step = TensorArena.ofConfined()) {
                Tensor loss = loss(shard);
                loss.item();
                loss.backward(Tensor.full(1.0 / shards), Release.EAGER);
            }
            optimizer.zeroGradients();
        }
    }

    private static void print(String name, Runnable step) {
        long caller = 0;
        long communication = 0;
        for (int round = 0; round < ROUNDS; round++) {
            communication = communicating();
            long before = HEAP.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < STEPS; i++) {
                step.run();
            }
            caller = HEAP.getCurrentThreadAllocatedBytes() - before;
            communication = communicating() - communication;
        }
        System.out.println(name + " " + caller / STEPS + " " + communication / STEPS);
    }

    private static long communicating() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("toydiff-communication"))
                .mapToLong(thread -> HEAP.getThreadAllocatedBytes(thread.threadId()))
                .sum();
    }
}
