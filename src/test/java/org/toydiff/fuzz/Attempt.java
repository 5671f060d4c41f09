package org.toydiff.fuzz;

import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.toydiff.DType;
import org.toydiff.MemoryLimitException;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// One call, and whether what comes of it is what its documentation says: the right elements, or the right exception.
final class Attempt {
    private final Machine machine;
    private final Choice choice;
    private final String text;
    private List<Held> operands = List.of();
    private final Set<Held> leaves = new LinkedHashSet<>();
    private Supplier<Dense> expected;
    private Supplier<Dense> scale;
    private BooleanSupplier mustFail = () -> false;
    private boolean mayFail;
    private boolean mayRefuse;

    Attempt(Machine machine, Choice choice, String text) {
        this.machine = machine;
        this.choice = choice;
        this.text = text;
    }

    /// Its operands: with one that has lost its memory it must throw IllegalStateException.
    Attempt reads(Held... tensors) {
        operands = List.of(tensors);
        for (Held operand : tensors) {
            leaves.addAll(operand.leaves);
        }
        return this;
    }

    /// Leaves that it computes with besides its operands.
    Attempt reads(Set<Held> parameters) {
        leaves.addAll(parameters);
        return this;
    }

    /// What the elements must be, up to rounding. A [Dense.Misfit] says that IllegalArgumentException must be thrown.
    Attempt expects(Supplier<Dense> elements) {
        expected = elements;
        return this;
    }

    /// How large the numbers are that are added up to each element: what rounding is relative to.
    Attempt within(Supplier<Dense> magnitudes) {
        scale = magnitudes;
        return this;
    }

    /// For reasons that are not followed here it may throw IllegalStateException.
    Attempt mayFail() {
        mayFail = true;
        return this;
    }

    /// For reasons that are not followed here it may throw IllegalArgumentException.
    Attempt mayRefuse() {
        mayRefuse = true;
        return this;
    }

    /// When it must throw IllegalStateException, besides for its operands.
    Attempt mustFail(BooleanSupplier condition) {
        mustFail = condition;
        return this;
    }

    /// For a result in new memory of the innermost arena.
    Held gives(Supplier<Tensor> call) {
        return gives(machine.innermost(), call);
    }

    /// For a result in new memory of an arena.
    Held gives(Held.Home home, Supplier<Tensor> call) {
        String name = machine.name("t");
        Tensor y = run("Tensor " + name + " = " + text + ";", call);
        if (y == null) {
            return null;
        }
        for (Held operand : operands) {
            if (operand.tensor == y) {
                return operand;
            }
        }
        return hold(name, y, new Held.Block(home, y.tracksGradient()), null);
    }

    /// For a result over memory that is the caller's.
    void wraps(Held.Home owner, Supplier<Tensor> call) {
        var block = new Held.Block(owner, false);
        block.wrapped = true;
        holds(block, call);
    }

    /// For a result that is there already, in a block of its own.
    void holds(Held.Block block, Supplier<Tensor> call) {
        String name = machine.name("t");
        Tensor y = run("Tensor " + name + " = " + text + ";", call);
        if (y != null) {
            hold(name, y, block, null);
        }
    }

    /// For a result in the memory of another; `reference` is what the view does to elements.
    Held views(Held source, UnaryOperator<Dense> reference, Supplier<Tensor> call) {
        if (expected == null) {
            expects(() -> reference.apply(source.known));
        }
        String name = machine.name("t");
        long live = live();
        Tensor y = run("Tensor " + name + " = " + text + ";", call);
        if (y == null || y == source.tensor) {
            return y == null ? null : source;
        }
        // Where strides allow no view it is a copy, which takes memory.
        boolean copied = live() != live;
        return copied
                ? hold(name, y, new Held.Block(machine.innermost(), y.tracksGradient()), null)
                : hold(name, y, source.block, reference.apply(source.cells));
    }

    private long live() {
        return ((TensorArena) machine.innermost().arena).liveBytes();
    }

    /// For a call without a tensor as its result.
    ///
    /// @return whether it ended without an exception
    boolean runs(Runnable call) {
        return Boolean.TRUE.equals(run(text + ";", () -> {
            call.run();
            return Boolean.TRUE;
        }));
    }

    private <T> T run(String line, Supplier<T> call) {
        machine.say(line);
        machine.count();
        boolean fits = fits();
        boolean usable = operands.stream().allMatch(Held::isUsable) && !mustFail.getAsBoolean();
        try {
            T result = call.get();
            // Who gives back what it was given has computed nothing.
            if (!usable && operands.stream().noneMatch(operand -> operand.tensor == result)) {
                throw new Finding("computes with what is closed or freed, without an exception: " + text);
            }
            if (!fits) {
                throw new Finding("accepts what does not fit: " + text);
            }
            return result;
        } catch (Finding finding) {
            throw finding;
        } catch (RuntimeException | Error thrown) {
            machine.say("    // " + thrown);
            requireDocumented(thrown, fits, usable);
            if (mayFail) {
                machine.noteFreed();
            }
            machine.verify();
            return null;
        }
    }

    private boolean fits() {
        try {
            if (expected != null) {
                expected.get();
            }
            return true;
        } catch (Dense.Misfit misfit) {
            return false;
        }
    }

    private void requireDocumented(Throwable thrown, boolean fits, boolean usable) {
        boolean documented =
                switch (thrown) {
                    case MemoryLimitException limit -> machine.isLimited();
                    case IllegalStateException state -> !usable || mayFail;
                    case IllegalArgumentException argument -> !fits || mayRefuse;
                    case ArithmeticException division -> !fits;
                    default -> false;
                };
        String message = String.valueOf(thrown.getMessage());
        if (!documented) {
            throw new Finding(call() + " throws " + thrown, thrown);
        }
        // What passes a limit may be made by an op within backward, which has a name in schedules alone.
        if (!Vocabulary.isOp(message) && !(thrown instanceof MemoryLimitException)) {
            throw new Finding("a message that names no op: " + thrown, thrown);
        }
    }

    private String call() {
        return usableText() + text;
    }

    private String usableText() {
        return operands.stream().allMatch(Held::isUsable) ? "" : "(with an operand that is closed or freed) ";
    }

    private Held hold(String name, Tensor y, Held.Block block, Dense cells) {
        boolean kept = y.size() <= Machine.MAX_ELEMENTS;
        if (!kept) {
            machine.verify();
            return null;
        }
        Set<Held> reached = y.tracksGradient() ? new HashSet<>(leaves) : new HashSet<>();
        if (y.tracksGradient() && reached.isEmpty()) {
            throw new Finding("tracks the gradient of nothing: " + text);
        }
        // What comes in new memory and not contiguous is stretched or turned in ways that are not followed.
        boolean followed = cells != null || y.isContiguous();
        var held = new Held(name, y, block, cells == null ? Dense.cells(y.shape()) : cells, reached);
        held.followed = followed;
        requireExpected(held);
        machine.store(choice, held);
        machine.verify();
        return held;
    }

    private void requireExpected(Held held) {
        if (expected == null) {
            return;
        }
        Dense want = expected.get();
        if (want == null) {
            return;
        }
        if (!Arrays.equals(want.shape(), held.shape())) {
            throw new Finding(text + " has the shape " + held.known + " and not " + want);
        }
        Dense sizes = scale == null ? null : scale.get();
        for (int i = 0; i < want.size(); i++) {
            double magnitude = sizes == null ? Math.abs(want.values()[i]) : sizes.values()[i];
            // Where what is added up is near overflow, or no number, the order of additions decides.
            boolean settled = sizes == null || magnitude < large(held.dtype());
            if (settled && !agree(held.known.values()[i], want.values()[i], magnitude, held.dtype())) {
                throw new Finding(text + ": element " + i + " of " + want + " is "
                        + held.known.values()[i] + " and not " + want.values()[i]);
            }
        }
    }

    private static boolean agree(double actual, double expected, double scale, DType dtype) {
        if (Double.compare(actual, expected) == 0 || actual == expected) {
            return true;
        }
        double large = large(dtype);
        if (!(Math.abs(expected) < large)) {
            return Math.abs(actual) >= 0.9 * large && actual > 0 == expected > 0;
        }
        double tolerance =
                switch (dtype) {
                    case FLOAT32 -> 1e-5;
                    case BFLOAT16 -> 0.05;
                    default -> 1e-11;
                };
        return Math.abs(actual - expected) <= tolerance * scale + 1 / large;
    }

    /// A number near the largest.
    private static double large(DType dtype) {
        return dtype == DType.FLOAT32 || dtype == DType.BFLOAT16 ? 1e37 : 1e300;
    }
}
