package org.toydiff.io;

import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.toydiff.Stateful;
import org.toydiff.Tensor;

/// The parts of a checkpoint by name, restored all together or not at all.
///
/// Its tensors are made in the innermost arena, which the caller opens.
final class CheckpointParts {
    static final String RANDOM = "random";
    static final String PROGRESS = "progress";

    private final String op;
    private final Map<String, Stateful> parts = new LinkedHashMap<>();

    /// @param op the name of the operation in messages
    CheckpointParts(String op, Map<String, ? extends Stateful> parts) {
        this.op = op;
        parts.forEach((name, part) -> {
            if (name.isEmpty() || name.contains(".") || name.equals(RANDOM) || name.equals(PROGRESS)) {
                throw new IllegalArgumentException(op + ": \"" + name
                        + "\" cannot be a part's name: it is empty, has a dot, or is reserved; rename it");
            }
            this.parts.put(name, part);
        });
    }

    /// Creates parts that hold only the progress.
    static CheckpointParts ofProgress(String op, ProgressState progress) {
        var alone = new CheckpointParts(op, Map.of());
        alone.parts.put(PROGRESS, progress);
        return alone;
    }

    /// Adds the random generator and the progress.
    CheckpointParts with(ProgressState progress) {
        parts.put(RANDOM, new RandomState());
        parts.put(PROGRESS, progress);
        return this;
    }

    /// Returns every tensor by its full name, that of its part and its own.
    Map<String, Tensor> state() {
        Map<String, Tensor> all = new LinkedHashMap<>();
        parts.forEach(
                (part, stateful) -> stateful.stateDict().forEach((name, tensor) -> all.put(part + "." + name, tensor)));
        return all;
    }

    /// Restores the tensors of [#state()].
    ///
    /// @param source where they come from, for messages
    void restore(Object source, Map<String, Tensor> saved) {
        Stateful.requireFits(refusal(source), state(), saved);
        Deque<Runnable> undo = new ArrayDeque<>();
        List<String> order = smallestFirst(saved);
        for (String name : order) {
            Stateful part = parts.get(name);
            // Nothing has to be undone after the last part, which is the largest.
            boolean last = name.equals(order.getLast());
            Map<String, Tensor> before = last ? Map.of() : copies(part.stateDict());
            try {
                part.loadStateDict(of(name, saved));
            } catch (RuntimeException e) {
                undo.forEach(Runnable::run);
                throw e instanceof IllegalArgumentException ? refused(source, name, e) : e;
            }
            undo.push(() -> part.loadStateDict(before));
        }
    }

    private IllegalArgumentException refused(Object source, String part, RuntimeException e) {
        return new IllegalArgumentException(refusal(source) + ": \"" + part + "\": " + e.getMessage(), e);
    }

    private String refusal(Object source) {
        return op + ": " + source + " does not fit, and nothing was changed";
    }

    private List<String> smallestFirst(Map<String, Tensor> saved) {
        return parts.keySet().stream()
                .sorted(Comparator.comparingLong(name -> of(name, saved).values().stream()
                        .mapToLong(Elements::bytes)
                        .sum()))
                .toList();
    }

    /// Returns the tensors of one part by the names that they have in it.
    private static Map<String, Tensor> of(String part, Map<String, Tensor> saved) {
        Map<String, Tensor> own = new LinkedHashMap<>();
        saved.forEach((name, tensor) -> {
            if (name.startsWith(part + ".")) {
                own.put(name.substring(part.length() + 1), tensor);
            }
        });
        return own;
    }

    private static Map<String, Tensor> copies(Map<String, Tensor> state) {
        Map<String, Tensor> copies = new LinkedHashMap<>();
        state.forEach((name, tensor) -> {
            Tensor copy = Tensor.emptyLike(tensor);
            copies.put(name, copy.copyFrom(tensor));
        });
        return copies;
    }

    /// The generator of [Tensor#manualSeed(long)].
    private static final class RandomState implements Stateful {
        @Override
        public Map<String, Tensor> stateDict() {
            return Map.of("state", Tensor.randomState());
        }

        @Override
        public void loadStateDict(Map<String, Tensor> state) {
            Tensor.setRandomState(state.get("state"));
        }
    }

    /// Epoch and step.
    static final class ProgressState implements Stateful {
        private long epoch;
        private long step;

        ProgressState(long epoch, long step) {
            this.epoch = epoch;
            this.step = step;
        }

        long epoch() {
            return epoch;
        }

        long step() {
            return step;
        }

        @Override
        public Map<String, Tensor> stateDict() {
            Map<String, Tensor> state = new LinkedHashMap<>();
            state.put("epoch", Tensor.of(new long[] {epoch}));
            state.put("step", Tensor.of(new long[] {step}));
            return state;
        }

        @Override
        public void loadStateDict(Map<String, Tensor> state) {
            long savedEpoch = state.get("epoch").toLongArray()[0];
            long savedStep = state.get("step").toLongArray()[0];
            if (savedEpoch < 0 || savedStep < 0) {
                throw new IllegalArgumentException(
                        "epoch " + savedEpoch + " and step " + savedStep + " must not be negative");
            }
            epoch = savedEpoch;
            step = savedStep;
        }
    }
}
