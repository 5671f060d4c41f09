package org.toydiff.train;

/// Receives the events of a training, on its thread. An exception ends the training.
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
}
