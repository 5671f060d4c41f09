package org.toydiff.optim;

/// A learning rate for each step, as a function of the one that the optimizer was made with. [Scheduler] applies
/// it.
///
/// ```java
/// var scheduler = new Scheduler(optimizer, Schedule.warmUp(100, Schedule.cosine(1000, 0)));
/// ```
///
/// "Step" is whatever the program calls [Scheduler#step()] after: a batch, or an epoch. A schedule of one's own is
/// best linear in the base, `a·base + b`: then it goes together with whatever else changes rates, see [Scheduler].
@FunctionalInterface
public interface Schedule {
    /// The rate of a step.
    ///
    /// @param base the rate that the group was made with
    /// @param step the step, 0 for the first
    /// @return the rate
    double rate(double base, long step);

    /// Multiplied by `gamma` after every `size` steps, as PyTorch's StepLR.
    ///
    /// @param size the steps between, positive
    /// @param gamma the factor
    /// @return the schedule
    /// @throws IllegalArgumentException if size is not positive
    static Schedule step(long size, double gamma) {
        requirePositive("step", size);
        return (base, step) -> base * Math.pow(gamma, step / size);
    }

    /// Down to `min` by half a cosine, as PyTorch's CosineAnnealingLR:
    /// `min + (base − min)·(1 + cos(π·step/steps))/2`: I. Loshchilov, F. Hutter, "SGDR", 2017. It stays there
    /// afterwards, where PyTorch's rises again.
    ///
    /// @param steps how many steps it takes, positive
    /// @param min the rate at the end
    /// @return the schedule
    /// @throws IllegalArgumentException if steps is not positive
    static Schedule cosine(long steps, double min) {
        requirePositive("cosine", steps);
        return (base, step) -> min + (base - min) * (1 + Math.cos(Math.PI * Math.min(step, steps) / steps)) / 2;
    }

    /// From `base·from` to `base·to` in a line, as PyTorch's LinearLR.
    ///
    /// @param from the factor at the first step
    /// @param to the factor after `steps` steps, and from then on
    /// @param steps how many steps it takes, positive
    /// @return the schedule
    /// @throws IllegalArgumentException if steps is not positive
    static Schedule linear(double from, double to, long steps) {
        requirePositive("linear", steps);
        return (base, step) -> base * (from + (to - from) * Math.min(step, steps) / steps);
    }

    /// From `base/steps` up to the whole rate in a line, and then another schedule from its beginning: P. Goyal et
    /// al., "Accurate, large minibatch SGD", 2017.
    ///
    /// @param steps how many steps the warm-up takes, positive
    /// @param then what follows
    /// @return the schedule
    /// @throws IllegalArgumentException if steps is not positive
    static Schedule warmUp(long steps, Schedule then) {
        requirePositive("warmUp", steps);
        return (base, step) -> step < steps ? base * (step + 1) / steps : then.rate(base, step - steps);
    }

    /// The same rate always.
    ///
    /// @return the schedule
    static Schedule constant() {
        return (base, step) -> base;
    }

    /// Up from `base/25` to base in the first 30 % of the steps and down to `base/250,000` in the rest, both by
    /// half a cosine, as PyTorch's OneCycleLR without a change of momentum: L. Smith, N. Topin,
    /// "Super-convergence", 2018. Base is the largest rate here.
    ///
    /// @param steps how many steps it takes, 2 or more
    /// @return the schedule
    /// @throws IllegalArgumentException if there are fewer
    static Schedule oneCycle(long steps) {
        requirePositive("oneCycle", steps - 1);
        double top = 0.3 * steps - 1;
        return (base, step) -> {
            double at = Math.min(step, steps - 1);
            return at <= top
                    ? between(base / 25, base, at / top)
                    : between(base, base / 25 / 1e4, (at - top) / (steps - 1 - top));
        };
    }

    private static double between(double from, double to, double share) {
        return to + (from - to) / 2 * (Math.cos(Math.PI * share) + 1);
    }

    private static void requirePositive(String name, long steps) {
        if (steps <= 0) {
            throw new IllegalArgumentException("Schedule." + name + ": there are too few steps; give more");
        }
    }
}
