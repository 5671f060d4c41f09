package org.toydiff;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.toydiff.Prediction.AbstractTensors;
import org.toydiff.internal.launch.Shape;

/// The memory that one training step will take, known before it starts: forward and `backward(Release.EAGER)` run on
/// shapes alone, without memory and without arithmetic.
///
/// ```java
/// Function<List<Tensor>, Tensor> loss = in -> crossEntropyLoss(net.forward(in.get(0)), in.get(1));
/// MemoryPlan plan = MemoryPlan.requireFits(loss, List.of(x, y));
/// ```
///
/// @param schedule the blocks that backward will free, in order
/// @param peakBytes the most that [Memory#liveBytes()] will rise above its present value, including the blocks of
///     parameters' gradients where they are not made yet
public record MemoryPlan(ReleaseSchedule schedule, long peakBytes) {
    /// Predicts a step.
    ///
    /// **Memory** none: nothing is made, nothing changes, and no random number is drawn.
    ///
    /// @param loss computes the loss from the inputs by ops alone: it must read no elements
    /// @param inputs the inputs of the loss; of those that track no gradient only shape and dtype matter
    /// @return the plan
    /// @throws IllegalStateException if the loss tracks no gradient, or reads elements
    public static MemoryPlan of(Function<List<Tensor>, Tensor> loss, List<Tensor> inputs) {
        var prediction = new Prediction();
        var abstractTensors = AbstractTensors.ofAll(null);
        List<Tensor> operands = new ArrayList<>(inputs.size());
        inputs.forEach(input -> operands.add(input.tracksGradient() ? input : abstractTensors.of(input)));
        ReleaseSchedule schedule =
                prediction.run("MemoryPlan", () -> loss.apply(operands).releaseSchedule());
        return new MemoryPlan(schedule, prediction.peakBytes());
    }

    /// Runs ops on shapes alone: the tensors that they make have no memory, and no element is computed or changed.
    /// That holds for the tensors around it too: whole training steps may run, backward and optimizer included, and
    /// parameters, gradients and graphs are afterwards as they were. State outside of tensors is its owner's: see
    /// [#isDryRun()].
    ///
    /// @param ops the ops; tensors made by them must not be used outside
    /// @return the most bytes that the tensors they make would take at a time
    /// @throws IllegalStateException if the ops read elements of those tensors, or leave an arena or a region open
    public static long dryRun(Runnable ops) {
        var prediction = new Prediction();
        return prediction.run("dryRun", () -> {
            ops.run();
            return prediction.peakBytes();
        });
    }

    /// Whether this thread is in a [#dryRun(Runnable)] or in [#of(Function, List)]: then code must not change
    /// state that it keeps beside its tensors, a count of steps for instance.
    ///
    /// @return true in a prediction
    public static boolean isDryRun() {
        return Scope.current().predicts();
    }

    /// Predicts a step, and refuses one that would pass the limit of the process, before any tensor is made.
    ///
    /// @param loss computes the loss from the inputs, as in [#of(Function, List)]
    /// @param batch inputs and targets that have the examples along their first axis
    /// @return the plan
    /// @throws MemoryLimitException if the step does not fit, naming the largest batch that does
    public static MemoryPlan requireFits(Function<List<Tensor>, Tensor> loss, List<Tensor> batch) {
        MemoryPlan plan = of(loss, batch);
        long live = Memory.liveBytes();
        long room = Memory.limitBytes() - live;
        if (plan.peakBytes <= room) {
            return plan;
        }
        long largest = largestBatch(loss, batch, room);
        throw new MemoryLimitException("step: a batch of " + batch.getFirst().shape[0] + " would take "
                + Shape.bytes(plan.peakBytes) + " above the " + Shape.bytes(live) + " live now, and the limit is "
                + Shape.bytes(Memory.limitBytes()) + " (-Dtoydiff.memory.limit); "
                + (largest == 0
                        ? "not even a batch of 1 fits"
                        : "the largest micro-batch that fits has " + largest + " examples"));
    }

    /// Finds the most examples, taken from the front of a batch, whose step fits into a number of bytes.
    ///
    /// @param loss computes the loss from the inputs, as in [#of(Function, List)]
    /// @param batch inputs and targets that have the examples along their first axis
    /// @param bytes the number of bytes
    /// @return the number of examples, 0 when not even one fits
    public static long largestBatch(Function<List<Tensor>, Tensor> loss, List<Tensor> batch, long bytes) {
        long fits = 0;
        long fails = batch.getFirst().shape[0] + 1;
        while (fails - fits > 1) {
            long middle = (fits + fails) >>> 1;
            List<Tensor> part =
                    batch.stream().map(tensor -> tensor.slice(0, 0, middle)).toList();
            if (of(loss, part).peakBytes <= bytes) {
                fits = middle;
            } else {
                fails = middle;
            }
        }
        return fits;
    }
}
