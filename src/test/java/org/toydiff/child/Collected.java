package org.toydiff.child;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.toydiff.DType;
import org.toydiff.Memory;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.distributed.DataParallel;
import org.toydiff.distributed.ProcessGroup;
import org.toydiff.nn.BatchNorm1d;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Linear;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.SGD;

/// Calls every collective in a group, or does in one process what ends a job, as the argument says.
public final class Collected {
    private Collected() {}

    public static void main(String[] args) throws Exception {
        try (var group = ProcessGroup.mpi();
                var arena = TensorArena.ofShared()) {
            boolean last = group.rank() == group.size() - 1;
            switch (args[0]) {
                case "collectives" -> collectives(group);
                case "other shape" -> group.allReduce(Tensor.zeros(last ? 4 : 3));
                case "other call" -> {
                    if (last) {
                        group.barrier();
                    } else {
                        group.broadcast(Tensor.zeros(2), 0);
                    }
                }
                case "exception" -> {
                    if (last) {
                        throw new IllegalArgumentException("the data of this rank is missing");
                    }
                    group.barrier();
                }
                case "exit" -> {
                    if (last) {
                        System.exit(3);
                    }
                    group.barrier();
                }
                case "other model" -> train(group, last ? 5 : 4, 2, -1);
                case "other shards" -> train(group, 4, last ? 4 : 2, -1);
                case "other rate" -> otherRate(group, last);
                case "exception in a step" -> train(group, 4, 2, last ? 2 : -1);
                case "state of one" -> stateOfOne(group, last);
                case "synchronization of one" -> synchronizedStep(group, !last, 0.5);
                case "other mode" -> otherMode(group, last);
                case "unused parameter" -> unusedParameter(group, last);
                case "weight 0" -> synchronizedStep(group, true, last ? 0 : 0.5);
                case "endless" -> {
                    System.out.println("process " + ProcessHandle.current().pid());
                    train(group, 4, 2, -1);
                }
                default -> throw new IllegalArgumentException(args[0]);
            }
        }
    }

    private static void collectives(ProcessGroup group) {
        long before = Memory.liveBytes();
        for (DType dtype : List.of(DType.FLOAT32, DType.FLOAT64, DType.BFLOAT16, DType.INT32, DType.INT64)) {
            try (var confined = TensorArena.ofConfined()) {
                Tensor sum = Tensor.full(dtype, group.rank() + 1, 2);
                group.allReduce(sum);
                Tensor from = Tensor.full(dtype, group.rank() + 1, 2);
                group.broadcast(from, group.size() - 1);
                Tensor whole = Tensor.zeros(dtype, group.size(), 2);
                group.allGather(Tensor.full(dtype, group.rank() + 1, 2), whole);
                System.out.println(dtype + " " + text(sum) + text(from) + text(whole));
            }
        }
        System.out.println("left behind: " + (Memory.liveBytes() - before));
        group.allReduce(Tensor.zeros(0));
        group.barrier();
    }

    private static void stateOfOne(ProcessGroup group, boolean one) {
        var net = new Linear(200, 100);
        var optimizer = new SGD(net.parameters(), 0.1).momentum(0.9);
        try (var parallel = DataParallel.of(net, optimizer, group, 2)) {
            if (one) {
                optimizer.stateDict();
            } else {
                parallel.backward(shard -> net.forward(Tensor.ones(2, 200)).sum());
            }
        }
    }

    private static void synchronizedStep(ProcessGroup group, boolean synchronizes, double weight) {
        var net = new Sequential(new Linear(2, 3), new BatchNorm1d(3));
        try (var parallel = DataParallel.of(net, new SGD(net.parameters(), 0.1), group, 2)) {
            if (synchronizes) {
                parallel.synchronizeBatchNorm();
            }
            parallel.backward(shard -> net.forward(Tensor.ones(2, 2)).sum(), shard -> weight);
        }
    }

    private static void otherMode(ProcessGroup group, boolean evaluates) {
        var norm = new BatchNorm1d(3);
        var net = new Sequential(new Linear(2, 3), norm, new Linear(3, 2));
        try (var parallel = DataParallel.of(net, new SGD(net.parameters(), 0.1), group, 2)) {
            parallel.synchronizeBatchNorm();
            if (evaluates) {
                norm.eval();
            }
            parallel.backward(shard -> net.forward(Tensor.ones(2, 2)).sum());
        }
    }

    /// The gradients of a bucket are complete before those of batch normalization in one process, and never in the
    /// other.
    private static void unusedParameter(ProcessGroup group, boolean unused) {
        var net = new Sequential(new Linear(2, 3), new BatchNorm1d(3));
        Tensor scale = Tensor.ones(DType.FLOAT64, 3).trackGradient();
        List<Tensor> parameters = new ArrayList<>(net.parameters());
        parameters.add(scale);
        try (var parallel = DataParallel.of(net, new SGD(parameters, 1), group, 2)) {
            parallel.synchronizeBatchNorm();
            parallel.backward(shard -> {
                Tensor y = net.forward(Tensor.randn(2, 2)).cast(DType.FLOAT64);
                return (unused ? y : y.multiply(0).add(scale)).sum();
            });
            parallel.step();
            System.out.println(text(scale));
        }
    }

    private static void otherRate(ProcessGroup group, boolean other) {
        var net = new Linear(4, 3);
        DataParallel.of(net, new SGD(net.parameters(), other ? 0.2 : 0.1), group, 2);
    }

    private static String text(Tensor tensor) {
        return Arrays.toString(tensor.cast(DType.FLOAT64).toDoubleArray());
    }

    /// Trains for ever, or until a step fails.
    private static void train(ProcessGroup group, int inputs, int shards, int failing) {
        var net = new Linear(inputs, 3);
        try (var parallel = DataParallel.of(net, new SGD(net.parameters(), 1e-3), group, shards)) {
            for (int step = 0; ; step++) {
                int now = step;
                parallel.backward(shard -> {
                    if (now == failing) {
                        throw new IllegalArgumentException("the file of step " + now + " cannot be read");
                    }
                    return Functional.mseLoss(net.forward(Tensor.ones(2, inputs)), Tensor.ones(2, 3));
                });
                parallel.step();
                if (step == 0) {
                    System.out.println("stepped");
                }
            }
        }
    }
}
