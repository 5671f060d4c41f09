package org.toydiff;

import java.util.Objects;

/// The gradients of a [Tensor]: asking for them, going backward, reading them.
public sealed interface AutogradOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// Asks for gradients: ops on this tensor are recorded from now on, and backward adds to [#gradient()], whose
    /// block lives in this tensor's arena (in the now innermost one for a wrapped segment).
    ///
    /// @return this
    /// @throws IllegalArgumentException if the dtype is not floating
    default Tensor trackGradient() {
        Tensor x = self();
        x.requireFloating("trackGradient");
        if (x.node == null && !x.leaf && Launch.skips(x)) {
            Prediction.track(x, true);
        } else if (x.node == null) {
            x.leaf = true;
            x.storage.pinned = true;
            if (x.storage.home == null || !Tensor.isOpen(x.storage.home)) {
                x.storage.home = Scope.current().innermost("trackGradient");
            }
        }
        return x;
    }

    /// Asks for gradients, as [#trackGradient()] does, or asks for none: ops on this tensor are not recorded from now
    /// on, and its gradient is emptied. This freezes a parameter.
    ///
    /// @param tracks whether to track gradients
    /// @return this
    /// @throws IllegalArgumentException if gradients are asked for and the dtype is not floating
    /// @throws IllegalStateException if none are asked for and this was computed from a tensor that tracks gradients
    default Tensor trackGradient(boolean tracks) {
        if (tracks) {
            return trackGradient();
        }
        Tensor x = self();
        if (x.node != null) {
            throw new IllegalStateException(
                    "trackGradient(false): " + x.described()
                            + " was computed from a tensor that tracks gradients; detach() returns its elements outside the graph");
        }
        if (x.leaf) {
            // The block of the gradient is kept while this is a leaf, for when gradients are asked for again.
            zeroGradient();
            if (Launch.skips(x)) {
                Prediction.track(x, false);
            } else {
                x.leaf = false;
            }
        }
        return x;
    }

    /// {@return whether ops on it are recorded: true for a leaf that asked for it and for results computed from one}
    default boolean tracksGradient() {
        Tensor x = self();
        return x.leaf || x.node != null;
    }

    /// {@return whether there is a gradient to read, left by a backward that reached this tensor and kept its
    /// gradient}
    default boolean hasGradient() {
        Tensor x = self();
        Recorder.asksGradient(x);
        return Scope.current().abstractTensors().of(x).gradientSet;
    }

    /// Returns the gradient that backward left, of this shape and dtype. A leaf's is one block for good: later
    /// backwards add to it.
    ///
    /// @return the gradient itself, not a copy
    /// @throws IllegalStateException if there is none, it was freed, or a backward failed that had added to it
    default Tensor gradient() {
        Tensor x = self();
        Recorder.asksGradient(x);
        Tensor t = Scope.current().abstractTensors().of(x);
        if (t.gradientSet) {
            t.requireWholeGradient("gradient");
            return t.gradient;
        }
        String of = "gradient: the gradient of " + x.described();
        if (x.gradientFreedAt > 0) {
            throw new IllegalStateException(of + " was freed at step " + x.gradientFreedAt
                    + " of backward(Release.EAGER); call retain() before backward, or use Release.AT_CLOSE");
        }
        throw new IllegalStateException(of + " is not there; "
                + (tracksGradient()
                        ? "call backward() on something computed from it"
                        : "call trackGradient() on it before computing from it"));
    }

    /// Empties the gradient; its block is kept for the next one, and overwritten. Where that block's arena is
    /// closed, the next one gets another in this tensor's arena.
    default void zeroGradient() {
        Tensor x = self();
        Scope.current().abstractTensors().of(x).emptyGradient();
        Recorder.emptiesGradient(x);
    }

    /// Goes backward from a gradient of ones: `backward(Release.AT_CLOSE)`.
    ///
    /// A backward that throws leaves every gradient that was not there before empty. Those that it had added to
    /// already are lost: reading them throws until [#zeroGradient()].
    ///
    /// @throws IllegalStateException as [#backward(Release)]
    default void backward() {
        backward(Release.AT_CLOSE);
    }

    /// Goes backward from a gradient of ones, adding to the gradient of everything this was computed from.
    ///
    /// @param release when intermediates are freed
    /// @throws IllegalStateException if this tracks no gradient, a value that a rule reads was changed in place, a
    ///     gradient cannot be added to because its arena is closed or an earlier backward failed, or an earlier
    ///     eager backward released the graph; nothing has changed then
    default void backward(Release release) {
        Backward.run(self(), null, release);
    }

    /// Goes backward from a given gradient: `backward(gradient, Release.AT_CLOSE)`.
    ///
    /// @param gradient the gradient of this, of its shape and dtype; not modified
    /// @throws IllegalArgumentException if shape or dtype of the gradient differ
    /// @throws IllegalStateException as [#backward(Release)]
    default void backward(Tensor gradient) {
        backward(gradient, Release.AT_CLOSE);
    }

    /// Goes backward from a given gradient, adding to the gradient of everything this was computed from.
    ///
    /// @param gradient the gradient of this, of its shape and dtype; not modified
    /// @param release when intermediates are freed
    /// @throws IllegalArgumentException if shape or dtype of the gradient differ
    /// @throws IllegalStateException as [#backward(Release)]
    default void backward(Tensor gradient, Release release) {
        Backward.run(self(), Objects.requireNonNull(gradient, "gradient"), release);
    }

    /// Predicts the blocks that `backward(Release.EAGER)` will free, in order, and the memory it will take, by
    /// running the gradient rules on shapes alone. It makes no tensors, and calling it changes nothing.
    ///
    /// @return the schedule, equal to that of the backward that follows, byte for byte
    /// @throws IllegalStateException if this tracks no gradient or its graph was released
    default ReleaseSchedule releaseSchedule() {
        return Prediction.schedule(self());
    }

    /// Keeps value and gradient of this intermediate beyond an eager backward, until its arena closes.
    ///
    /// @return this
    default Tensor retain() {
        Tensor x = self();
        x.requireReadable("retain");
        Tensor t = Scope.current().abstractTensors().of(x);
        t.retained = true;
        t.storage.pinned = true;
        return x;
    }

    /// Returns the same elements outside the graph: a view that tracks no gradient. Its block is kept beyond an
    /// eager backward.
    ///
    /// @return a view of the same block
    default Tensor detach() {
        Tensor x = self();
        x.requireReadable("detach");
        Scope.current().abstractTensors().of(x).storage.pinned = true;
        return x.view();
    }
}
