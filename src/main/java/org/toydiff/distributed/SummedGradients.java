package org.toydiff.distributed;

import java.util.Arrays;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.Updates;

/// The sums of the gradients of all shards, of which each process has those of the elements that it updates.
final class SummedGradients {
    private final Layout layout;
    private final GradientExchange exchange;
    private final Processes processes;

    /// The sum of the squares of each unit, those of other processes 0; see [Layout#firstUnits()].
    private final double[] squares;

    private final int[] firstUnit;
    private final Processes.Sums scratch;

    SummedGradients(Layout layout, GradientExchange exchange, Processes processes, TensorArena home) {
        this.layout = layout;
        this.exchange = exchange;
        this.processes = processes;
        this.firstUnit = layout.firstUnits();
        this.squares = new double[Math.max(1, firstUnit[firstUnit.length - 1])];
        this.scratch = new Processes.Sums(processes, home, squares.length);
    }

    /// Replaces numbers, at most one for each unit of the parameters, by their sums over all processes.
    void sum(double[] numbers) {
        processes.sum(numbers, scratch);
    }

    void scale(double factor) {
        for (int bucket = 0; bucket < layout.buckets.size(); bucket++) {
            Updates.scale(exchange.ownOfBucket(bucket), factor);
        }
    }

    void clamp(double bound) {
        for (int bucket = 0; bucket < layout.buckets.size(); bucket++) {
            Updates.clamp(exchange.ownOfBucket(bucket), bound);
        }
    }

    /// {@return the joint norm of all, the same in every process}
    double norm() {
        Arrays.fill(squares, 0);
        int parameters = firstUnit.length - 1;
        for (int i = 0; i < parameters; i++) {
            Tensor own = exchange.own(i);
            if (own.size() > 0) {
                int first = (int) (layout.from(i, processes.rank()) / Updates.UNIT);
                Updates.squares(own, squares, firstUnit[i] + first);
            }
        }
        sum(squares);
        double sum = 0;
        for (int i = 0; i < parameters; i++) {
            double norm = Updates.norm(squares, firstUnit[i], firstUnit[i + 1] - firstUnit[i]);
            sum += norm * norm;
        }
        return Math.sqrt(sum);
    }

    /// {@return whether all elements are finite, the same in every process}
    boolean areFinite() {
        Arrays.fill(squares, 0);
        for (int bucket = 0; bucket < layout.buckets.size(); bucket++) {
            squares[0] += Updates.allFinite(exchange.ownOfBucket(bucket)) ? 0 : 1;
        }
        sum(squares);
        return squares[0] == 0;
    }
}
