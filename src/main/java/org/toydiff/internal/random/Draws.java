package org.toydiff.internal.random;

import java.util.ArrayList;
import java.util.List;

/// The random draws of a checkpointed function. The generator's state before each draw is noted the first time, so
/// that the function draws the same numbers again whatever other threads draw meanwhile.
public final class Draws {
    private final List<long[]> starts;
    private final boolean repeats;

    /// The draws of the enclosing function on the same thread, or null.
    private final Draws outer;

    private int next;

    private Draws(List<long[]> starts, boolean repeats, Draws outer) {
        this.starts = starts;
        this.repeats = repeats;
        this.outer = outer;
    }

    /// Begins the first run of a function inside another one, whose draws are `outer`; null for none.
    public static Draws noted(Draws outer) {
        return new Draws(new ArrayList<>(), false, outer);
    }

    /// Begins another run of the function, inside the one whose draws are `outer`; null for none.
    public Draws again(Draws outer) {
        return new Draws(starts, true, outer);
    }

    /// Whether some function runs again, so that the process's generator must stay as it is.
    public static boolean repeated(Draws innermost) {
        return repeating(innermost) != null;
    }

    private static Draws repeating(Draws innermost) {
        Draws draws = innermost;
        while (draws != null && !draws.repeats) {
            draws = draws.outer;
        }
        return draws;
    }

    /// The state in which the generator made the next draw the first time; null in a first run.
    ///
    /// @throws IllegalStateException if the function draws more often than the first time
    public static long[] nextStart(Draws innermost) {
        Draws draws = repeating(innermost);
        if (draws == null) {
            return null;
        }
        if (draws.next == draws.starts.size()) {
            throw draws.differs("more often");
        }
        return draws.starts.get(draws.next++);
    }

    /// Returns the state in which the generator began the last draw of a function: one array for the draw and its
    /// repetitions.
    ///
    /// @param innermost the function, which has drawn and does not run again inside another one
    static long[] lastStart(Draws innermost) {
        return innermost.starts.getLast();
    }

    /// Notes a draw that begins in state `start` for each function that runs for the first time.
    public static void note(Draws innermost, long[] start) {
        for (Draws draws = innermost; draws != null && !draws.repeats; draws = draws.outer) {
            draws.starts.add(start);
        }
    }

    /// Requires that the function has drawn as often as the first time.
    ///
    /// @throws IllegalStateException if it has drawn less often
    public void requireAll() {
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
