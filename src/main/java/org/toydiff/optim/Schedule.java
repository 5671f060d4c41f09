package org.toydiff.optim;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// A learning rate for each step, as a function of the group's base rate. [Scheduler] applies it.
///
/// ```java
/// var scheduler = new Scheduler(optimizer, Schedule.warmUp(100, Schedule.cosine(1000, 0)));
/// ```
///
/// A step is the interval between two calls of [Scheduler#step()]: a batch, or an epoch. A custom schedule should
/// be linear in the base rate, `a·base + b`: then it combines with everything else that changes rates, see
/// [Scheduler]. [#sequential] follows schedules one after another, [Scheduler#chained] several at once.
@FunctionalInterface
public interface Schedule {
    /// Returns the rate of a step.
    ///
    /// @param base the rate that the group was created with
    /// @param step the step, 0 for the first
    /// @return the rate
    double rate(double base, long step);

    /// Multiplies the rate by `gamma` after every `size` steps, as PyTorch's StepLR.
    ///
    /// @param size the number of steps between two changes, positive
    /// @param gamma the factor
    /// @return the schedule
    /// @throws IllegalArgumentException if size is not positive
    static Schedule step(long size, double gamma) {
        requirePositive("step", "size", size);
        return (base, step) -> base * StrictMath.pow(gamma, step / size);
    }

    /// Lowers the rate to `min` by half a cosine, as PyTorch's CosineAnnealingLR:
    /// `min + (base − min)·(1 + cos(π·step/steps))/2`: I. Loshchilov, F. Hutter, "SGDR", 2017. Afterwards it stays
    /// there, whereas PyTorch's rises again.
    ///
    /// @param steps the number of steps to `min`, positive
    /// @param min the rate at the end
    /// @return the schedule
    /// @throws IllegalArgumentException if steps is not positive
    static Schedule cosine(long steps, double min) {
        requirePositive("cosine", "steps", steps);
        return (base, step) -> between(base, min, (double) Math.min(step, steps) / steps);
    }

    /// Moves the rate linearly from `base·from` to `base·to`, as PyTorch's LinearLR.
    ///
    /// @param from the factor at the first step
    /// @param to the factor after `steps` steps, and from then on
    /// @param steps the number of steps from one to the other, positive
    /// @return the schedule
    /// @throws IllegalArgumentException if steps is not positive
    static Schedule linear(double from, double to, long steps) {
        requirePositive("linear", "steps", steps);
        return (base, step) -> base * (from + (to - from) * Math.min(step, steps) / steps);
    }

    /// Raises the rate linearly from `base/steps` to `base`, and then follows another schedule from its beginning:
    /// P. Goyal et al., "Accurate, large minibatch SGD", 2017.
    ///
    /// @param steps the number of steps of the warm-up, positive
    /// @param then the schedule after the warm-up
    /// @return the schedule
    /// @throws IllegalArgumentException if steps is not positive
    static Schedule warmUp(long steps, Schedule then) {
        requirePositive("warmUp", "steps", steps);
        return sequential(List.of((base, step) -> base * (step + 1) / steps, then), steps);
    }

    /// Follows several schedules one after another, each from its beginning, as PyTorch's SequentialLR.
    ///
    /// ```java
    /// Schedule.sequential(List.of(Schedule.linear(0.1, 1, 10), Schedule.cosine(90, 0)), 10);
    /// ```
    ///
    /// @param schedules the schedules, one or more
    /// @param milestones the steps at which the second schedule and those after it begin, positive and increasing
    /// @return the schedule
    /// @throws IllegalArgumentException if there is no schedule, the number of milestones is not one less than that
    ///     of the schedules, or they are not positive and increasing
    static Schedule sequential(List<Schedule> schedules, long... milestones) {
        List<Schedule> parts = List.copyOf(schedules);
        long[] begins = new long[milestones.length + 1];
        System.arraycopy(milestones, 0, begins, 1, milestones.length);
        boolean increasing = IntStream.range(1, begins.length).allMatch(i -> begins[i - 1] < begins[i]);
        if (parts.size() != begins.length || !increasing) {
            throw new IllegalArgumentException("Schedule.sequential: the milestones " + Arrays.toString(milestones)
                    + " do not fit " + parts.size() + " schedules; give the step at which each but the first begins,"
                    + " positive and increasing");
        }
        return (base, step) -> {
            int i = begins.length - 1;
            while (step < begins[i]) {
                i--;
            }
            return parts.get(i).rate(base, step - begins[i]);
        };
    }

    /// Multiplies the rate by `gamma` at each milestone, as PyTorch's MultiStepLR.
    ///
    /// @param gamma the factor
    /// @param milestones the first steps with another rate, ascending; one that occurs twice multiplies twice
    /// @return the schedule
    /// @throws IllegalArgumentException if the milestones do not ascend
    static Schedule multiStep(double gamma, long... milestones) {
        long[] at = milestones.clone();
        for (int i = 1; i < at.length; i++) {
            if (at[i] < at[i - 1]) {
                throw new IllegalArgumentException(
                        "Schedule.multiStep: the milestones " + Arrays.toString(at) + " do not ascend; sort them");
            }
        }
        return (base, step) -> {
            int reached = 0;
            while (reached < at.length && at[reached] <= step) {
                reached++;
            }
            return base * StrictMath.pow(gamma, reached);
        };
    }

    /// Multiplies the rate by `gamma` after every step, as PyTorch's ExponentialLR.
    ///
    /// @param gamma the factor
    /// @return the schedule
    static Schedule exponential(double gamma) {
        return (base, step) -> base * StrictMath.pow(gamma, step);
    }

    /// Lowers the rate to 0 as a power of the remaining steps, as PyTorch's PolynomialLR:
    /// `base·(1 − step/steps)^power`.
    ///
    /// @param steps the number of steps to 0, positive
    /// @param power the power; 1 for a line
    /// @return the schedule
    /// @throws IllegalArgumentException if steps is not positive
    static Schedule polynomial(long steps, double power) {
        requirePositive("polynomial", "steps", steps);
        return (base, step) -> base * StrictMath.pow(1 - (double) Math.min(step, steps) / steps, power);
    }

    /// Lowers the rate to `min` by half a cosine again and again, as PyTorch's CosineAnnealingWarmRestarts:
    /// I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.
    ///
    /// @param steps the number of steps before the first restart, positive
    /// @param factor the length of each period over that of the one before, 1 or more
    /// @param min the rate at the end of a period
    /// @return the schedule
    /// @throws IllegalArgumentException if steps or factor is not positive
    static Schedule cosineWarmRestarts(long steps, int factor, double min) {
        requirePositive("cosineWarmRestarts", "steps", steps);
        requirePositive("cosineWarmRestarts", "factor", factor);
        return (base, step) -> {
            // A double does not overflow: the last period may be longer than a long can count.
            double period = steps;
            long at = factor == 1 ? step % steps : step;
            while (at >= period) {
                at -= (long) period;
                period *= factor;
            }
            return between(base, min, (double) at / period);
        };
    }

    /// Multiplies the rate by a factor in the first steps, as PyTorch's ConstantLR.
    ///
    /// @param factor the factor
    /// @param steps the number of steps with the factor, positive
    /// @return the schedule
    /// @throws IllegalArgumentException if steps is not positive
    static Schedule constant(double factor, long steps) {
        requirePositive("constant", "steps", steps);
        return (base, step) -> step < steps ? base * factor : base;
    }

    /// Keeps the base rate.
    ///
    /// @return the schedule
    static Schedule constant() {
        return (base, step) -> base;
    }

    /// Raises the rate from `base/25` to `base` in the first 30 % of the steps and lowers it to `base/250,000` in
    /// the rest, both by half a cosine, as PyTorch's OneCycleLR without a change of momentum: L. Smith, N. Topin,
    /// "Super-convergence", 2018. The base rate is the highest one here.
    ///
    /// @param steps the number of steps of the whole cycle, 2 or more
    /// @return the schedule
    /// @throws IllegalArgumentException if there are fewer
    static Schedule oneCycle(long steps) {
        if (steps < 2) {
            throw new IllegalArgumentException("Schedule.oneCycle: steps " + steps + " must be 2 or more");
        }
        double top = 0.3 * steps - 1;
        return (base, step) -> {
            double at = Math.min(step, steps - 1);
            return at <= top
                    ? between(base / 25, base, at / top)
                    : between(base, base / 25 / 1e4, (at - top) / (steps - 1 - top));
        };
    }

    /// Returns a rate on the half cosine between two: `to + (from − to)·(1 + cos(π·share))/2`, where the factor is
    /// the square of the cosine of half the angle.
    private static double between(double from, double to, double share) {
        double sine = sine(Math.PI / 2 * Math.min(share, 1 - share));
        double square = sine * sine;
        return to + (from - to) * (share <= 0.5 ? 1 - square : square);
    }

    /// Returns the sine of 0 to π/4 by the polynomial of fdlibm (k_sin.c, 1993), without the array that
    /// StrictMath.sin makes.
    private static double sine(double x) {
        double square = x * x;
        double rest = 1.58969099521155010221e-10;
        rest = rest * square - 2.50507602534068634195e-08;
        rest = rest * square + 2.75573137070700676789e-06;
        rest = rest * square - 1.98412698298579493134e-04;
        rest = rest * square + 8.33333333332248946124e-03;
        rest = rest * square - 1.66666666666666324348e-01;
        return x + x * square * rest;
    }

    private static void requirePositive(String schedule, String setting, long value) {
        if (value <= 0) {
            throw new IllegalArgumentException(
                    "Schedule." + schedule + ": " + setting + " " + value + " must be positive");
        }
    }
}
