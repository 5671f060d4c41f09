package org.toydiff.distributed;

import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// The random numbers of shards: each shard of each step begins with a seed of its own, whichever process computes
/// it. A step draws one number from the default generator, which has the same state in every process.
final class ShardSeeds {
    /// The state of the generator after the step.
    private final Tensor after = Tensor.randomState();

    private long step;

    /// Begins a step.
    void begin() {
        try (var scratch = TensorArena.ofConfined()) {
            step = Double.doubleToRawLongBits(Tensor.rand(DType.FLOAT64).item());
            after.copyFrom(Tensor.randomState());
        }
    }

    /// Begins a shard, counted from the first of all processes.
    void begin(int shard) {
        Tensor.manualSeed(mixed(step + shard));
    }

    /// Ends a step: the generator continues as if one number had been drawn.
    void end() {
        Tensor.setRandomState(after);
    }

    /// The finalizer of SplitMix64, G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number
    /// generators", 2014, figure 17.
    private static long mixed(long z) {
        z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }
}
