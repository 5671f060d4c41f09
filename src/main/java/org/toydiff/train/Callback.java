package org.toydiff.train;

/// Receives the events of a training, or of an evaluation outside one, on its thread. An exception ends either.
public interface Callback {
    /// Called before the first step.
    ///
    /// @param training the training under way
    default void onTrainBegin(Training training) {}

    /// Called before the first step of an epoch, or of the rest of one that is resumed.
    ///
    /// @param training the training under way
    default void onEpochBegin(Training training) {}

    /// Called after a step, when its row is in the history.
    ///
    /// @param training the training under way
    default void onStepEnd(Training training) {}

    /// Called after an epoch and its validation, when its row is in the history.
    ///
    /// @param training the training under way
    default void onEpochEnd(Training training) {}

    /// Called after the last step and before the report is written, also if an exception ends the training.
    ///
    /// @param training the training
    default void onTrainEnd(Training training) {}

    /// Called before the first batch of [Trainer#evaluate] or [Trainer#predict].
    ///
    /// @param call `evaluate` or `predict`
    /// @param batches the number of batches
    default void onEvaluationBegin(String call, long batches) {}

    /// Called after a batch of [Trainer#evaluate] or [Trainer#predict].
    default void onBatchEvaluated() {}

    /// Called after the last batch of [Trainer#evaluate] or [Trainer#predict], also if an exception ends either.
    default void onEvaluationEnd() {}
}
