package org.toydiff.train;

/// Is called while a [Trainer] trains, on its thread. An exception from one ends the training.
public interface Callback {
    /// Before the first step.
    ///
    /// @param training what is being trained
    default void onTrainBegin(Training training) {}

    /// Before the first step of an epoch, or of the rest of one that is resumed.
    ///
    /// @param training what is being trained
    default void onEpochBegin(Training training) {}

    /// After a step, with its row in the history.
    ///
    /// @param training what is being trained
    default void onStepEnd(Training training) {}

    /// After an epoch and its validation, with its row in the history.
    ///
    /// @param training what is being trained
    default void onEpochEnd(Training training) {}

    /// After the last step, before the report is written; also when training ends by an exception.
    ///
    /// @param training what was trained
    default void onTrainEnd(Training training) {}
}
