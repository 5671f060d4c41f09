package org.toydiff.child;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.zip.CRC32;
import org.toydiff.CompiledFunction;
import org.toydiff.DType;
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
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.Adam;
import org.toydiff.optim.LAMB;
import org.toydiff.optim.LARS;
import org.toydiff.optim.Optimizer;
import org.toydiff.optim.SGD;

/// Trains small models on 8 shards with several optimizers, and prints a checksum of losses, norms, parameters, buffers
/// and state for each, the same for any number of processes.
public final class DistributedSteps {
    private static final int SHARDS = 8;
    private static final int EACH = 4;
    private static final int INPUTS = 20;
    private static final int STEPS = 50;

    private static final Map<String, Function<List<Tensor>, Optimizer>> OPTIMIZERS = new LinkedHashMap<>();

    static {
        OPTIMIZERS.put("SGD", parameters -> new SGD(parameters, 0.1).momentum(0.9));
        OPTIMIZERS.put("Adam", parameters -> new Adam(parameters, 1e-3));
        OPTIMIZERS.put("LAMB", parameters -> new LAMB(parameters, 1e-2));
        OPTIMIZERS.put("LARS", parameters -> new LARS(parameters, 1).weightDecay(1e-4));
    }

    private DistributedSteps() {}

    public static void main(String[] args) {
        try (var group = ProcessGroup.mpi()) {
            lines(group).forEach(System.out::println);
        }
    }

    /// The lines of a run, of which the last says whether the memory was as planned.
    public static List<String> lines(ProcessGroup group) {
        List<String> lines = new ArrayList<>();
        boolean planned = true;
        for (String name : OPTIMIZERS.keySet()) {
            for (boolean compiled : new boolean[] {false, true}) {
                try (var arena = TensorArena.ofShared()) {
                    // Other parameters in every process, of which those of rank 0 count.
                    Tensor.manualSeed(100 + group.rank());
                    Layer net = net();
                    Optimizer optimizer = OPTIMIZERS.get(name).apply(net.parameters());
                    long before = arena.liveBytes();
                    long state = before - netBytes(net);
                    try (var parallel = DataParallel.of(net, optimizer, group, SHARDS)) {
                        String sum = train(net, optimizer, parallel, compiled);
                        lines.add(name + (compiled ? " compiled " : " eager ") + sum);
                        var plan = parallel.plan();
                        long gradients = plan.gradients();
                        long expected = before - state + plan.state() + gradients + parallel.liveBytes();
                        planned &= arena.liveBytes() + parallel.liveBytes() == expected
                                && parallel.liveBytes()
                                        == plan.total() - plan.parameters() - plan.gradients() - plan.state();
                    }
                }
            }
        }
        lines.add("memory as planned: " + planned);
        return lines;
    }

    private static Layer net() {
        return new Sequential(
                new Linear(INPUTS, 300),
                new BatchNorm1d(300),
                new ReLU(),
                new Dropout(0.2),
                new Linear(300, 60),
                new ReLU(),
                new Linear(60, 4));
    }

    private static long netBytes(Layer net) {
        return net.stateDict().values().stream()
                .mapToLong(tensor -> (tensor.size() * tensor.dtype().bytes() + 63) / 64 * 64)
                .sum();
    }

    private static String train(Layer net, Optimizer optimizer, DataParallel parallel, boolean compiled) {
        var sum = new CRC32();
        var random = new SplittableRandom(5);
        try (var scratch = TensorArena.ofConfined()) {
            Tensor weight = Tensor.scalar(1.0 / SHARDS);
            try (var pass = CompiledFunction.of((x, y) -> {
                Tensor loss = Functional.crossEntropyLoss(net.forward(x), y);
                loss.backward(weight, Release.EAGER);
                return loss;
            })) {
                for (int step = 0; step < STEPS; step++) {
                    try (var batch = TensorArena.ofConfined()) {
                        Tensor x = Tensor.randn(random, SHARDS * EACH, INPUTS);
                        Tensor y = Tensor.rand(random, SHARDS * EACH)
                                .multiply(4)
                                .floor()
                                .cast(DType.INT64);
                        add(
                                sum,
                                compiled
                                        ? parallel.backwardBy(
                                                shard -> pass.run(part(x, shard), part(y, shard))
                                                        .item(),
                                                shard -> 1.0 / SHARDS)
                                        : parallel.backward(shard -> Functional.crossEntropyLoss(
                                                net.forward(part(x, shard)), part(y, shard))));
                        add(sum, parallel.clipNorm(0.5));
                        parallel.step();
                    }
                }
            }
            List<Tensor> all = new ArrayList<>(net.stateDict().values());
            all.addAll(optimizer.stateDict().values());
            for (Tensor tensor : all) {
                for (double value : tensor.cast(DType.FLOAT64).toDoubleArray()) {
                    add(sum, value);
                }
            }
        }
        return Long.toHexString(sum.getValue());
    }

    private static Tensor part(Tensor all, int shard) {
        return all.slice(0, (long) shard * EACH, (shard + 1L) * EACH);
    }

    private static void add(CRC32 sum, double value) {
        long bits = Double.doubleToRawLongBits(value);
        for (int i = 0; i < Long.SIZE; i += Byte.SIZE) {
            sum.update((int) (bits >>> i));
        }
    }
}
