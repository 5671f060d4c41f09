package org.toydiff.distributed;

import java.util.List;
import java.util.function.IntFunction;
import org.toydiff.Tensor;
import org.toydiff.Updates;

/// The sums of the gradients of the shards that this process has computed, on a stack, see [ShardTree].
final class ShardSums {
    private final Layout layout;

    /// The number of additions after each shard.
    private final int[] additionsAfter;

    /// The sums of each parameter by their place on the stack, and what each rank has of them.
    private final Tensor[][] sums;

    private final Tensor[][][] parts;

    /// The gradient of each parameter whose parts were made last: backward adds to one tensor in every step.
    private final Tensor[] gradients;

    private final Tensor[][] gradientParts;

    /// The places on the stack, and the number of additions after the last push.
    private int height;

    private int additions;

    ShardSums(Layout layout, List<Tensor> parameters, int rank) {
        this.layout = layout;
        this.additionsAfter = ShardTree.additions(layout.shardsOf.get(rank));
        int depth = layout.depth(rank);
        sums = new Tensor[depth][parameters.size()];
        parts = new Tensor[depth][parameters.size()][];
        for (int place = 0; place < depth; place++) {
            for (int i = 0; i < parameters.size(); i++) {
                sums[place][i] = Tensor.zeros(
                        parameters.get(i).dtype(), parameters.get(i).shape());
                parts[place][i] = parts(i, sums[place][i]);
            }
        }
        gradients = new Tensor[parameters.size()];
        gradientParts = new Tensor[parameters.size()][];
    }

    /// {@return the elements of each rank}
    Tensor[] parts(int parameter, Tensor whole) {
        Tensor flat = whole.detach().reshape(whole.size());
        Tensor[] parts = new Tensor[layout.ranks];
        for (int rank = 0; rank < parts.length; rank++) {
            parts[rank] = flat.slice(0, layout.from(parameter, rank), layout.to(parameter, rank));
        }
        return parts;
    }

    void begin() {
        height = 0;
    }

    /// Notes that a shard is computed next, counted from this process's first. Its gradients are then put on the stack,
    /// or sent if it is the last.
    void push(int shard) {
        additions = additionsAfter[shard];
    }

    /// Puts the gradients of the shard on the stack; null stands for none.
    void keep(IntFunction<Tensor> gradients) {
        for (int i = 0; i < gradientParts.length; i++) {
            keep(i, gradients.apply(i));
        }
        height += 1 - additions;
    }

    private void keep(int i, Tensor gradient) {
        if (additions == 0) {
            put(gradient, sums[height][i]);
            return;
        }
        if (gradient != null) {
            Updates.add(sums[height - 1][i], gradient);
        }
        for (int place = height - 1; place > height - additions; place--) {
            Updates.add(sums[place - 1][i], sums[place][i]);
        }
    }

    /// Copies a gradient, or zeros for null.
    static void put(Tensor gradient, Tensor to) {
        if (to.size() > 0) {
            to.copyFrom(gradient == null ? Tensor.zeros(to.dtype()) : gradient);
        }
    }

    /// Puts all sums of a parameter, with the gradient of the last shard, where they are sent from.
    ///
    /// @param gradient null for none
    void send(int i, Tensor gradient, BucketExchange to) {
        int below = height - additions;
        for (int rank = 0; rank < layout.ranks; rank++) {
            for (int node = 0; node < below; node++) {
                put(parts[node][i][rank], to.sent(node, rank, i));
            }
            Tensor sum = to.sent(below, rank, i);
            if (sum.size() > 0) {
                put(gradient == null ? null : parts(i, gradient, rank), sum);
                for (int place = height - 1; place >= below; place--) {
                    Updates.add(sum, parts[place][i][rank]);
                }
            }
        }
    }

    private Tensor parts(int i, Tensor gradient, int rank) {
        if (gradients[i] != gradient) {
            gradients[i] = gradient;
            gradientParts[i] = parts(i, gradient);
        }
        return gradientParts[i][rank];
    }
}
