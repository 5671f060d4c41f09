package org.toydiff.fuzz;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// A variable of a program: a tensor, and all that is known of it.
final class Held {
    /// An arena of a program, the JDK's or the library's.
    static final class Home {
        final String name;
        final Arena arena;
        final boolean limited;
        final boolean shared;
        boolean open = true;

        Home(String name, Arena arena, boolean shared, boolean limited) {
            this.name = name;
            this.arena = arena;
            this.shared = shared;
            this.limited = limited;
        }

        boolean isForeign() {
            return !(arena instanceof TensorArena);
        }
    }

    /// Memory that a tensor and its views share.
    static final class Block {
        Home home;

        /// Memory of the caller's: a leaf in it has its gradient in the arena that was innermost when it was tracked.
        boolean wrapped;

        Home gradients;

        /// Whether a backward that frees may free it.
        boolean early;

        Block(Home home, boolean early) {
            this.home = home;
            this.early = early;
        }
    }

    final String name;
    final Tensor tensor;
    final Block block;

    /// The elements it must have, and which cells of the block they are.
    Dense known;

    final Dense cells;

    /// The leaves that it was computed from.
    final Set<Held> leaves;

    /// The block of a leaf's gradient, once there is one.
    Block gradient;

    boolean freed;

    /// Whether its cells are its own, so that it is known what a write to it changes.
    boolean followed = true;

    Held(String name, Tensor tensor, Block block, Dense cells, Set<Held> leaves) {
        this.name = name;
        this.tensor = tensor;
        this.block = block;
        this.cells = cells;
        this.leaves = leaves;
        this.known = new Dense(tensor.shape(), tensor.toDoubleArray());
    }

    /// A layer's parameter, made in an arena, which no call uses but by its layer.
    static Held parameter(Tensor parameter, Home home) {
        var held = new Held("a parameter", parameter, new Block(home, false), null, new HashSet<>());
        held.leaves.add(held);
        return held;
    }

    boolean isUsable() {
        return !freed && block.home.open;
    }

    boolean isFloating() {
        return tensor.dtype().isFloating();
    }

    DType dtype() {
        return tensor.dtype();
    }

    long[] shape() {
        return known.shape();
    }

    int rank() {
        return known.rank();
    }

    int size() {
        return known.size();
    }

    boolean isLeaf() {
        return leaves.contains(this);
    }

    /// Whether its gradient can be written, so far as is known.
    boolean takesGradient() {
        return isUsable() && gradientHome().open;
    }

    Home gradientHome() {
        if (gradient != null) {
            return gradient.home;
        }
        return block.gradients != null ? block.gradients : block.home;
    }

    void requireUnchanged() {
        double[] now = tensor.toDoubleArray();
        if (Arrays.equals(now, known.values())) {
            return;
        }
        for (int i = 0; i < now.length; i++) {
            if (Double.compare(now[i], known.values()[i]) != 0) {
                throw new Finding("another tensor was changed: element " + i + " of " + name + " is now " + now[i]
                        + " and was " + known.values()[i]);
            }
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
