package org.toydiff.distributed;

import java.util.Arrays;
import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.Updates;

/// The gradients of each shard of this process that backward has added up without communication, in
/// [DataParallel#noSync()].
final class AccumulatedGradients {
    private final List<Tensor> parameters;
    private final int shards;
    private final TensorArena home;

    /// The sums of each shard by parameter; null before the first.
    private Tensor[][] sums;

    /// The number of calls of backward that were added up.
    private int calls;

    /// Whether each parameter has a gradient in any shard and call.
    private final boolean[] present;

    /// @param shards the number of shards of this process
    /// @param home the arena of the sums, which are made when they are first needed
    AccumulatedGradients(List<Tensor> parameters, int shards, TensorArena home) {
        this.parameters = parameters;
        this.shards = shards;
        this.home = home;
        this.present = new boolean[parameters.size()];
    }

    /// Begins a call of backward.
    void begin() {
        if (calls == 0) {
            Arrays.fill(present, false);
        }
    }

    /// {@return the gradient of a parameter in a shard, with what earlier calls accumulated; null for none}
    Tensor take(int shard, int i) {
        Tensor parameter = parameters.get(i);
        boolean has = parameter.hasGradient();
        present[i] |= has;
        Tensor earlier = calls == 0 ? null : sums[shard][i];
        if (has && earlier != null) {
            Updates.add(parameter.gradient(), earlier);
        }
        return has ? parameter.gradient() : earlier;
    }

    /// Keeps the gradients of a shard for later calls.
    void keep(int shard) {
        makeSums();
        for (int i = 0; i < parameters.size(); i++) {
            ShardSums.put(take(shard, i), sums[shard][i]);
        }
    }

    private void makeSums() {
        if (sums == null) {
            try (var inside = home.enter()) {
                Tensor[][] made = new Tensor[shards][parameters.size()];
                for (Tensor[] ofShard : made) {
                    Arrays.setAll(ofShard, i -> Tensor.zerosLike(parameters.get(i)));
                }
                sums = made;
            }
        }
    }

    /// Ends a call whose gradients were kept.
    void endKept() {
        calls++;
    }

    /// Ends a call whose gradients were sent: the next one begins from nothing.
    void endSent() {
        calls = 0;
    }

    /// Puts into the record which parameters have a gradient.
    void send(StepRecord record) {
        for (int i = 0; i < present.length; i++) {
            record.setPresent(i, present[i]);
        }
    }
}
