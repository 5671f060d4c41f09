package org.toydiff;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.memory.Storage;

/// The blocks that `backward(Release.EAGER)` frees, in order, and the memory it takes: see
/// [Tensor#releaseSchedule()].
///
/// Step 0 is before the first gradient rule; step k is right after the k-th. Bytes are those of the arena
/// that is innermost when backward is called, where gradients are made. It prints as a table.
///
/// Steps before 0 are those of the forward pass: the op recorded last is step −1, the one before it −2.
///
/// ```java
/// import org.toydiff.*;
///
/// void main() {
///     try (var model = TensorArena.ofConfined()) {
///         Tensor w = Tensor.ones(256, 256).trackGradient();
///         try (var step = TensorArena.ofConfined()) {
///             Tensor x = Tensor.ones(1024, 256);
///             Tensor loss = x.matmul(w).tanh().matmul(w).relu().mean();
///             IO.print(loss.releaseSchedule());
///             loss.backward(Release.EAGER);
///             IO.println("measured " + step.peakBytes());
///         }
///     }
/// }
/// ```
///
/// ```text
/// step  op           kind      shape                         bytes  block    live after
///    0  matmul       VALUE     [1024, 256]                 1048576      1
///    0  matmul       VALUE     [1024, 256]                 1048576      2       3145856
///    2  relu         GRADIENT  [1024, 256]                      64      3
///    2  relu         VALUE     [1024, 256]                 1048576      4       3145856
///    3  tanh         VALUE     [1024, 256]                 1048576      5
///    3  matmul       GRADIENT  [1024, 256]                 1048576      6       2097280
///    5  matmul       GRADIENT  [1024, 256]                 1048576      7       1048704
/// peak 5243008 B in 5 steps
/// measured 5243008
/// ```
///
/// The gradient of `mean` is one number seen through stride 0: 64 bytes, whatever its shape.
///
/// @param entries the blocks that are freed, in order
/// @param kept the blocks that stay until their arena closes, with a step one past the last
/// @param liveBytes the arena's live bytes after step 0, 1, …
/// @param peakBytes the arena's peak from its opening to the end of that backward
public record ReleaseSchedule(List<Entry> entries, List<Entry> kept, List<Long> liveBytes, long peakBytes) {
    /// The contents of a block when it was freed.
    public enum Kind {
        /// The gradient of an intermediate.
        GRADIENT,
        /// The value of an intermediate.
        VALUE
    }

    /// One block freed.
    ///
    /// @param step right after which step
    /// @param op the op whose output's value or gradient it held
    /// @param kind value or gradient
    /// @param shape the shape of that output
    /// @param bytes the size of the block: its elements' bytes, rounded up to a multiple of 64
    /// @param block the number of the block, in the order of freeing
    /// @param made the step in which the block was made
    public record Entry(int step, String op, Kind kind, long[] shape, long bytes, int block, int made) {
        /// Copies the shape.
        public Entry {
            shape = shape.clone();
        }

        /// {@return a copy of the shape of the output}
        @Override
        public long[] shape() {
            return shape.clone();
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Entry that
                    && step == that.step
                    && op.equals(that.op)
                    && kind == that.kind
                    && Arrays.equals(shape, that.shape)
                    && bytes == that.bytes
                    && block == that.block
                    && made == that.made;
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(shape) + 31 * (step + 31 * (op.hashCode() + 31 * kind.hashCode())) + block;
        }

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT, "%4d  %-12s %-9s %-20s %14d  %5d", step, op, kind, Shape.text(shape), bytes, block);
        }
    }

    /// Copies the lists.
    public ReleaseSchedule {
        entries = List.copyOf(entries);
        kept = List.copyOf(kept);
        liveBytes = List.copyOf(liveBytes);
    }

    /// Returns the table: a line for each block that is freed, with the live bytes after each step.
    ///
    /// @return lines of step, op, kind, shape, bytes, block and live bytes
    @Override
    public String toString() {
        var text = new StringBuilder(
                "step  op           kind      shape                         bytes  block    live after\n");
        for (int i = 0; i < entries.size(); i++) {
            Entry entry = entries.get(i);
            text.append(entry);
            boolean lastOfStep = i + 1 == entries.size() || entries.get(i + 1).step != entry.step;
            text.append(lastOfStep ? String.format(Locale.ROOT, "%14d", liveBytes.get(entry.step)) : "")
                    .append('\n');
        }
        return text.append("peak ")
                .append(peakBytes)
                .append(" B in ")
                .append(liveBytes.size() - 1)
                .append(" steps\n")
                .toString();
    }

    /// Writes the schedule of a walk backward while that runs.
    static sealed class Writer {
        /// Writes nothing.
        static final Writer NONE = new None();

        private final TensorArena arena;
        private final List<Entry> entries = new ArrayList<>();
        private final List<Long> live = new ArrayList<>();
        private final Map<Storage, Integer> blocks = new IdentityHashMap<>();
        private final Map<Storage, Integer> births = new IdentityHashMap<>();
        private final List<Storage> inOrder = new ArrayList<>();

        Writer(TensorArena arena) {
            this.arena = arena;
        }

        /// Notes the step in which a block was made, unless it is known.
        void made(int step, Storage storage) {
            if (births.putIfAbsent(storage, step) == null) {
                inOrder.add(storage);
            }
        }

        void freed(int step, String op, Kind kind, long[] shape, Storage storage) {
            entries.add(entry(step, op, kind, shape, storage));
        }

        private Entry entry(int step, String op, Kind kind, long[] shape, Storage storage) {
            int block = blocks.computeIfAbsent(storage, s -> blocks.size() + 1);
            return new Entry(step, op, kind, shape, storage.bytes(), block, births.get(storage));
        }

        private List<Entry> kept() {
            List<Entry> kept = new ArrayList<>();
            for (Storage storage : inOrder) {
                if (!storage.isFreed() && storage.bytes() > 0 && storage.home instanceof TensorArena) {
                    var kind = births.get(storage) < 0 ? Kind.VALUE : Kind.GRADIENT;
                    kept.add(entry(live.size(), storage.op, kind, storage.shape, storage));
                }
            }
            return kept;
        }

        void endStep() {
            live.add(arena.liveBytes());
        }

        ReleaseSchedule schedule() {
            return new ReleaseSchedule(entries, kept(), live, arena.peakBytes());
        }

        private static final class None extends Writer {
            None() {
                super(null);
            }

            @Override
            void made(int step, Storage storage) {}

            @Override
            void freed(int step, String op, Kind kind, long[] shape, Storage storage) {}

            @Override
            void endStep() {}
        }
    }
}
