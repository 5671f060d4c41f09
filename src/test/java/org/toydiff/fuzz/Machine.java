package org.toydiff.fuzz;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import org.toydiff.DType;
import org.toydiff.Memory;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// What a program of random calls runs on: variables, arenas, and what must be true after each call.
final class Machine implements AutoCloseable {
    private static final int SLOTS = 10;

    /// Results with more elements are dropped.
    static final int MAX_ELEMENTS = 3000;

    private static final int MAX_ARENAS = 4;

    /// An arena that was opened, or entered again.
    private record Frame(Held.Home home, AutoCloseable end) {}

    private final Held[] slots = new Held[SLOTS];
    private final List<Frame> frames = new ArrayList<>();
    private final List<Held.Home> foreign = new ArrayList<>();
    private final List<Held.Home> opened = new ArrayList<>();
    private final StringBuilder lines = new StringBuilder();
    private final long before = Memory.liveBytes();
    private final long seed;
    private final Comb comb;
    private int names;
    private int calls;

    Machine(long seed) {
        this.seed = seed;
        open(TensorArena.ofConfined(), "ofConfined()", false);
        comb = new Comb((TensorArena) innermost().arena);
    }

    // Text.

    void say(String line) {
        lines.append(line).append('\n');
        Thread.currentThread().setName("fuzz seed " + seed + ": " + line);
    }

    String lines() {
        return lines.toString();
    }

    String name(String letter) {
        return letter + names++;
    }

    void count() {
        calls++;
    }

    int calls() {
        return calls;
    }

    // Arenas.

    Held.Home innermost() {
        return frames.getLast().home;
    }

    boolean isLimited() {
        return frames.stream().anyMatch(frame -> frame.home.limited);
    }

    boolean mayOpen() {
        return frames.size() < MAX_ARENAS;
    }

    boolean mayClose() {
        return frames.size() > 1;
    }

    Held.Home open(TensorArena arena, String how, boolean limited) {
        var home = new Held.Home(name("arena"), arena, how.startsWith("ofShared"), limited);
        say("var " + home.name + " = TensorArena." + how + ";");
        frames.add(new Frame(home, arena));
        opened.add(home);
        return home;
    }

    void enter(Held.Home home) {
        say("var region = " + home.name + ".enter();");
        frames.add(new Frame(home, ((TensorArena) home.arena).enter()));
    }

    /// Ends what was opened or entered last.
    void end() {
        Frame last = frames.removeLast();
        boolean entered = last.end != last.home.arena;
        say((entered ? "region" : last.home.name) + ".close();");
        try {
            last.end.close();
        } catch (Exception thrown) {
            throw new Finding("closing throws " + thrown, thrown);
        }
        last.home.open = entered;
    }

    Held.Home openForeign(Arena arena, String how) {
        var home = new Held.Home(name("arena"), arena, how.startsWith("ofShared"), false);
        say("var " + home.name + " = Arena." + how + ";");
        foreign.add(home);
        return home;
    }

    void closeForeign(Held.Home home) {
        say(home.name + ".close();");
        home.arena.close();
        home.open = false;
    }

    /// An arena of the library, one that is closed now and then.
    Held.Home home(Choice c) {
        List<Held.Home> candidates =
                opened.stream().filter(home -> home.open || c.oneIn(15)).toList();
        return c.of(candidates);
    }

    /// An open arena of the JDK, or null.
    Held.Home foreignHome(Choice c) {
        List<Held.Home> candidates = foreign.stream().filter(home -> home.open).toList();
        return candidates.isEmpty() ? null : c.of(candidates);
    }

    // Variables.

    /// A variable, of which few have lost their memory; null when there is none of that kind.
    Held find(Choice c, Predicate<Held> wanted) {
        int start = c.below(SLOTS);
        boolean any = c.oneIn(15);
        for (int i = 0; i < SLOTS; i++) {
            Held held = slots[(start + i) % SLOTS];
            if (held != null && (any || held.isUsable()) && wanted.test(held)) {
                return held;
            }
        }
        return null;
    }

    /// Ends a call for which an operand could not be made, because of a limit say.
    static final class Skipped extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    static Held required(Held made) {
        if (made == null) {
            throw new Skipped();
        }
        return made;
    }

    Held any(Choice c) {
        Held found = c.oneIn(8) ? null : find(c, held -> true);
        return found != null ? found : fresh(c, c.dtype(), c.shape());
    }

    /// A floating variable; now and then one that is not.
    Held floating(Choice c) {
        return floating(c, held -> true);
    }

    Held floating(Choice c, Predicate<Held> wanted) {
        boolean strange = c.oneIn(30);
        Held found = c.oneIn(8) ? null : find(c, held -> (strange || held.isFloating()) && wanted.test(held));
        return found != null ? found : fresh(c, c.floating(), c.shape());
    }

    /// What broadcasts with a variable, seldom by chance alone.
    Held partner(Choice c, Held x) {
        Held found = c.coin() ? find(c, held -> held.dtype() == x.dtype() && stretches(held.shape(), x.shape())) : null;
        if (found != null || c.oneIn(20)) {
            return found != null ? found : any(c);
        }
        return fresh(c, x.dtype(), c.shrunk(x.shape()));
    }

    private static boolean stretches(long[] a, long[] b) {
        try {
            return Dense.size(Reference.broadcast(a, b)) <= MAX_ELEMENTS;
        } catch (Dense.Misfit misfit) {
            return false;
        }
    }

    /// A new tensor of that shape, whichever way it lies.
    Held fresh(Choice c, DType dtype, long... shape) {
        return required(made(c, dtype, shape));
    }

    private Held made(Choice c, DType dtype, long... shape) {
        int rank = shape.length;
        switch (c.below(8)) {
            case 0 -> {
                int[] axes = c.permutation(rank);
                long[] base = new long[rank];
                for (int i = 0; i < rank; i++) {
                    base[axes[i]] = shape[i];
                }
                return ViewCalls.transpose(this, c, of(c, dtype, base), axes);
            }
            case 1 -> {
                if (rank > 0) {
                    int axis = c.axisWithin(rank);
                    long[] base = shape.clone();
                    int before = c.below(3);
                    base[axis] += before + c.below(3);
                    return ViewCalls.slice(this, c, of(c, dtype, base), axis, before, before + shape[axis]);
                }
            }
            case 2 -> {
                long[] base = new long[rank + 1];
                System.arraycopy(shape, 0, base, 1, rank);
                base[0] = 1 + c.below(3);
                return ViewCalls.get(this, c, of(c, dtype, base), c.below((int) base[0]));
            }
            case 3 -> {
                return ViewCalls.broadcastTo(this, c, of(c, dtype, c.shrunk(shape)), shape);
            }
            default -> {}
        }
        return of(c, dtype, shape);
    }

    /// A new contiguous tensor.
    Held of(Choice c, DType dtype, long... shape) {
        double[] numbers = c.numbers(dtype, (int) Dense.size(shape), c.oneIn(3));
        return of(c, dtype, numbers, shape);
    }

    Held of(Choice c, DType dtype, double[] numbers, long... shape) {
        String values = Arrays.toString(numbers);
        String text = shape.length == 0
                ? "Tensor.scalar(" + dtype.name() + ", " + numbers[0] + ")"
                : "Tensor.of(" + dtype.name() + ", new double[] {" + values.substring(1, values.length() - 1) + "}, "
                        + GraphMaker.list(shape) + ")";
        return required(new Attempt(this, c, text)
                .expects(() -> new Dense(shape, numbers))
                .gives(() -> shape.length == 0 ? Tensor.scalar(dtype, numbers[0]) : Tensor.of(dtype, numbers, shape)));
    }

    void store(Choice c, Held held) {
        slots[c.below(SLOTS)] = held;
    }

    List<Held> variables() {
        return Arrays.stream(slots).filter(held -> held != null).toList();
    }

    // After a call.

    /// After an eager backward: what it may have freed and did.
    void noteFreed() {
        for (Held held : variables()) {
            if (held.isUsable() && held.block.early) {
                try {
                    held.tensor.toDoubleArray();
                } catch (IllegalStateException freed) {
                    held.freed = true;
                }
            }
        }
    }

    /// After a call that wrote to a block: its tensors have new elements.
    void read(Predicate<Held> written) {
        for (Held held : variables()) {
            if (held.isUsable() && written.test(held)) {
                held.known = new Dense(held.shape(), held.tensor.toDoubleArray());
            }
        }
    }

    void verify() {
        comb.requireWhole();
        for (Held held : slots) {
            if (held != null && held.isUsable()) {
                try {
                    held.requireUnchanged();
                } catch (IllegalStateException lost) {
                    throw new Finding("a variable has lost its memory: " + lost, lost);
                }
            }
        }
        long live = before;
        for (Held.Home home : opened) {
            long bytes = ((TensorArena) home.arena).liveBytes();
            if (bytes < 0 || (bytes != 0 && !home.open)) {
                throw new Finding(home.name + " counts live bytes: " + bytes);
            }
            live += bytes;
        }
        // What lies in the JDK's arenas is counted until they close, by nobody but the process.
        long more = Memory.liveBytes() - live;
        if (more < 0 || (more > 0 && foreign.stream().noneMatch(home -> home.open))) {
            throw new Finding("live bytes differ from the sum over the arenas by " + more);
        }
    }

    /// Ends everything in order.
    @Override
    public void close() {
        try {
            while (!frames.isEmpty()) {
                end();
            }
        } finally {
            foreign.stream().filter(home -> home.open).forEach(this::closeForeign);
        }
        if (Memory.liveBytes() != before) {
            throw new Finding("leaves behind bytes: " + (Memory.liveBytes() - before));
        }
    }
}
