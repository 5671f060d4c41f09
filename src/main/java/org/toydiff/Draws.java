package org.toydiff;

import java.util.ArrayList;
import java.util.List;

/// What a checkpointed function draws from the process's generator: where each draw began, noted the first time, so
/// that the function draws the same again whatever other threads draw meanwhile.
final class Draws {
    private final List<long[]> starts;
    private final boolean repeats;

    /// Those of the function around it on the same thread, or null.
    private final Draws outer;

    private int next;

    private Draws(List<long[]> starts, boolean repeats, Draws outer) {
        this.starts = starts;
        this.repeats = repeats;
        this.outer = outer;
    }

    /// For the first time.
    static Draws noted(Draws outer) {
        return new Draws(new ArrayList<>(), false, outer);
    }

    /// For another time.
    Draws again(Draws outer) {
        return new Draws(starts, true, outer);
    }

    /// Whether a function that draws again is under way, so that the process's generator stays as it is.
    static boolean repeated(Draws innermost) {
        return repeating(innermost) != null;
    }

    private static Draws repeating(Draws innermost) {
        Draws draws = innermost;
        while (draws != null && !draws.repeats) {
            draws = draws.outer;
        }
        return draws;
    }

    /// Where the next draw began the first time; null when it is the first time.
    static long[] nextStart(Draws innermost) {
        Draws draws = repeating(innermost);
        if (draws == null) {
            return null;
        }
        if (draws.next == draws.starts.size()) {
            throw draws.differs("more often");
        }
        return draws.starts.get(draws.next++);
    }

    /// Notes a draw for each function under way whose first time it is.
    static void note(Draws innermost, long[] start) {
        for (Draws draws = innermost; draws != null && !draws.repeats; draws = draws.outer) {
            draws.starts.add(start);
        }
    }

    /// Throws unless the function drew as often as the first time.
    void requireAll() {
        if (next < starts.size()) {
            throw differs("less often, " + next + " times");
        }
    }

    private IllegalStateException differs(String how) {
        return new IllegalStateException("checkpoint: the function drew random tensors " + starts.size()
                + " times in forward and " + how
                + " in backward; it must do the same both times (layers must not switch between train and eval)");
    }
}
