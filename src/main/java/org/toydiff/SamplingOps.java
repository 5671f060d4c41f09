package org.toydiff;

import org.toydiff.internal.launch.Shape;

/// The ops of [Tensor] that draw from the distributions it describes, by the default generator, which
/// [Tensor#manualSeed] seeds. Of their results, only that of [dropout][#dropout] has a gradient. The numbers depend on
/// the seed alone, not on the machine or on threads.
public sealed interface SamplingOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// Draws 1 with the probability that each element gives, else 0.
    ///
    /// @return a new tensor of this shape and dtype
    /// @throws IllegalArgumentException if this is not floating, or an element is NaN or outside 0 to 1
    default Tensor bernoulli() {
        Tensor x = self();
        x.requireFloating("bernoulli");
        requireElements(x, "bernoulli", "a probability, from 0 to 1", 1);
        return Sampling.drawn(generator -> Sampling.bernoulli(x, generator));
    }

    /// Sets each element to 0 with probability p and divides the others by 1 − p: N. Srivastava et al., "Dropout: a
    /// simple way to prevent neural networks from overfitting", JMLR 15, 2014.
    ///
    /// One number is drawn, the key of a counter-based generator: Philox 4×32-10 of J. Salmon, M. Moraes, R. Dror,
    /// D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. Whether an element is dropped depends on the
    /// key and its index alone.
    ///
    /// **Gradient** g through the same mask, which is computed again. **Memory** a new tensor; backward keeps the key
    /// and no tensor. An infinite or NaN element that is dropped becomes 0.
    ///
    /// @param p the probability, in [0, 1]
    /// @return a new tensor of this shape and dtype
    /// @throws IllegalArgumentException if this is not floating or p is out of range
    default Tensor dropout(double p) {
        return Sampling.dropout(self(), p);
    }

    /// Draws positions along the last axis, with probabilities in proportion to the elements there, which need not
    /// add up to 1.
    ///
    /// Without replacement, each draw is from the positions that are left. The draws from a row of n take time in
    /// proportion to n and log n for each draw, and 16·n bytes off-heap meanwhile (32·n at most).
    ///
    /// @param count the number of draws from each row
    /// @param replacement whether a position may be drawn more than once
    /// @return a new INT64 tensor: `[count]` of a vector, `[rows, count]` of a matrix
    /// @throws IllegalArgumentException if this is neither a vector nor a matrix or not floating; if an element is
    ///     negative, infinite or NaN; if a row has none above 0 or, without replacement, fewer than `count`
    default Tensor multinomial(long count, boolean replacement) {
        Tensor x = self();
        x.requireFloating("multinomial");
        if (x.shape.length != 1 && x.shape.length != 2) {
            throw new IllegalArgumentException(
                    "multinomial: " + Shape.text(x.shape) + " is neither a vector nor a matrix; reshape it");
        }
        if (count < 1) {
            throw new IllegalArgumentException("multinomial: " + count + " draws; give at least 1");
        }
        requireElements(x, "multinomial", "a finite weight, 0 or more", Double.MAX_VALUE);
        return Sampling.drawn(generator -> Sampling.multinomial(x, count, replacement, generator));
    }

    private static void requireElements(Tensor x, String op, String wanted, double most) {
        if (!x.storage.isAbstract()) {
            long[] shape = x.shape;
            // One object for all replays.
            TensorBase.Visitor inRange = (i, value) -> {
                if (!(value >= 0 && value <= most)) {
                    throw new IllegalArgumentException(
                            op + ": element " + i + " of " + Shape.text(shape) + " is " + value + ", not " + wanted);
                }
            };
            Recorder.check(op, x, elements -> elements.forEach(inRange));
        }
    }
}
