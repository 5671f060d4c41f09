package org.toydiff.internal.fusion;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.Element;
import org.toydiff.internal.kernels.IntegerKernels;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.kernels.UnaryKernel;
import org.toydiff.internal.launch.ElementKind;
import org.toydiff.internal.launch.ElementSource;
import org.toydiff.internal.launch.ElementWork;
import org.toydiff.internal.launch.ReductionKind;
import org.toydiff.internal.launch.ReductionWork;
import org.toydiff.internal.launch.RowWork;
import org.toydiff.internal.launch.Scratch;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.workers.Workers;

/// Fused loops over arrays of several parts, on one thread and on more, against the kernels one after another.
class FusedWorkTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static final ElementWork ELEMENTS = new ElementWork();

    private final SplittableRandom random = new SplittableRandom(5);
    private final Blocks blocks = new Blocks();

    private static void onThreads(int threads, Runnable test) {
        int before = Workers.threads();
        Workers.setThreads(threads);
        try {
            test.run();
        } finally {
            Workers.setThreads(before);
        }
    }

    /// `tanh(a·b + c)`, b having one element for each column and c one for each row.
    private BlockView example(Chain chain, long... matrix) {
        BlockView t = chain.binary(BinaryKernel.MULTIPLY, chain.contiguous(0, matrix), chain.view(1, 0, 1), matrix);
        BlockView u = chain.binary(BinaryKernel.ADD, t, chain.view(2, 1, 0), matrix);
        return chain.unary(UnaryKernel.TANH, u, matrix);
    }

    private void allocate(Arena arena, boolean wide, long... matrix) {
        for (int k = 0; k < 6; k++) {
            blocks.addOrdinary(arena, wide ? Element.FLOAT64 : Element.FLOAT32, (int) Shape.size(matrix), random);
        }
    }

    /// Runs the launches of a chain one after another.
    private void runUnfused(Chain chain) {
        for (int i = 0; i < chain.launches.size(); i++) {
            var launch = (RecordedLaunch.Elementwise) chain.launches.get(i);
            BlockView a = launch.inputs().getFirst();
            BlockView y = launch.output();
            MemorySegment to = blocks.memory(y.block());
            if (chain.kernels.get(i) instanceof Kernel.Unary kernel) {
                ELEMENTS.run(kernel, blocks.memory(a.block()), 0, a.strides(), to, 0, y.strides(), launch.shape());
            } else {
                BlockView b = launch.inputs().get(1);
                ELEMENTS.run(
                        (Kernel.Binary) chain.kernels.get(i),
                        blocks.memory(a.block()),
                        0,
                        a.strides(),
                        blocks.memory(b.block()),
                        0,
                        b.strides(),
                        to,
                        0,
                        y.strides(),
                        launch.shape());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"false, 1", "false, 4", "true, 1", "true, 4"})
    void partsGiveTheBitsOfTheKernels(boolean wide, int threads) {
        onThreads(threads, () -> {
            try (var arena = Arena.ofShared()) {
                long[] matrix = {60, 600};
                allocate(arena, wide, matrix);
                var chain = new Chain(wide, 3);
                BlockView y = example(chain, matrix);
                runUnfused(chain);
                String expected = blocks.bits(y.block());
                var loop = (FusedLaunch.Loop) chain.fuse(y.block()).getFirst();
                var work = new FusedWork(loop.program(), loop.operands(), loop.shape());
                for (int round = 0; round < 3; round++) {
                    blocks.spoil(y.block());
                    work.run(blocks.memory(loop.operands()));
                    assertEquals(expected, blocks.bits(y.block()));
                }
            }
        });
    }

    /// Runs `sin(a·b) + b`, of which huge angles are computed one by one, in each form.
    private void requireSameInEachForm(BlockView a, BlockView b, long... shape) {
        try (var arena = Arena.ofShared()) {
            int size = (int) Shape.size(shape);
            for (int k = 0; k < 6; k++) {
                blocks.add(arena, Element.FLOAT32, size, random);
            }
            var chain = new Chain(false, 2);
            BlockView sine = chain.unary(UnaryKernel.SIN, chain.binary(BinaryKernel.MULTIPLY, a, b, shape), shape);
            BlockView y = chain.binary(BinaryKernel.ADD, sine, b, shape);
            runUnfused(chain);
            String expected = blocks.bits(y.block());
            var loop = (FusedLaunch.Loop) chain.fuse(y.block()).getFirst();
            FuserTest.forms().forEach((name, form) -> {
                blocks.spoil(y.block());
                new FusedWork(loop.program(), loop.operands(), shape, form).run(blocks.memory(loop.operands()));
                assertEquals(expected, blocks.bits(y.block()), name);
            });
        }
    }

    @Test
    void rowsOfSeveralPartsWithRareElementsGiveTheBitsOfTheKernels() {
        long[] strides = {33_000, 1};
        requireSameInEachForm(
                new BlockView(0, Element.FLOAT32, 0, strides),
                new BlockView(1, Element.FLOAT32, 0, strides),
                2,
                33_000);
    }

    @Test
    void rowsUnderSeveralAxesGiveTheBitsOfTheKernels() {
        long[] strides = {0, 140, 0, 1};
        requireSameInEachForm(
                new BlockView(0, Element.FLOAT32, 0, strides),
                new BlockView(1, Element.FLOAT32, 0, Shape.strides(new long[] {2, 3, 2, 70})),
                2,
                3,
                2,
                70);
    }

    /// A launch that reads its operand from a source or, where that is null, from memory.
    private interface Launch {
        void run(ElementSource source, MemorySegment x, MemorySegment y);
    }

    /// A chain over a matrix, and a block for results of its elements.
    private final class Fixture {
        final boolean wide;
        final long[] matrix;
        final Chain chain;
        final BlockView x;
        final int result;

        Fixture(Arena arena, boolean wide, long[] matrix) {
            this.wide = wide;
            this.matrix = matrix;
            blocks.clear();
            allocate(arena, wide, matrix);
            chain = new Chain(wide, 3);
            x = example(chain, matrix);
            result = blocks.addOrdinary(arena, Element.FLOAT64, (int) Shape.size(matrix), random);
            runUnfused(chain);
        }

        /// Compares a launch that reads the chain's result from memory with one that reads it from the chain.
        void requireSame(String name, long columns, Launch launch) {
            MemorySegment y = blocks.memory(result);
            launch.run(null, blocks.memory(x.block()), y);
            byte[] expected = y.toArray(JAVA_BYTE);
            List<RecordedLaunch> all = new ArrayList<>(chain.launches);
            all.add(Chain.reader(x, matrix, columns, Set.of(), Set.of(result)));
            List<FusedLaunch> fused = Fuser.fuse(all, Set.of(result));
            assertEquals(1, fused.size(), () -> name + ": " + Chain.text(fused));
            var fed = (FusedLaunch.Streamed) fused.getFirst();
            launch.run(Chain.source(fed, blocks, FusedLoops::of), null, y);
            assertArrayEquals(expected, y.toArray(JAVA_BYTE), name);
        }
    }

    private static final long[][] MATRICES = {{60, 600}, {3, 5_000}, {500, 70}, {1, 40_000}, {5_000, 1}};

    @ParameterizedTest
    @CsvSource({"false, 4", "true, 1"})
    void reductionsOfALoopGiveTheBitsOfThoseOfMemory(boolean wide, int threads) {
        onThreads(threads, () -> {
            for (long[] matrix : MATRICES) {
                try (var arena = Arena.ofShared()) {
                    var fixture = new Fixture(arena, wide, matrix);
                    for (ReductionKind kind : ReductionKind.values()) {
                        requireSameReduction(fixture, kind, 1, 1);
                        requireSameReduction(fixture, kind, matrix[0], 1);
                        requireSameReduction(fixture, kind, 1, matrix[1]);
                    }
                }
            }
        });
    }

    private void requireSameReduction(Fixture fixture, ReductionKind kind, long... to) {
        var work = new ReductionWork();
        long[] strides = Shape.strides(fixture.matrix);
        if (!work.plan(kind, fixture.matrix, strides, to) || work.sourceColumns(kind, fixture.wide) == 0) {
            return;
        }
        String name = kind + " of " + Shape.text(fixture.matrix) + " to " + Shape.text(to);
        fixture.requireSame(name, work.sourceColumns(kind, fixture.wide), (source, x, y) -> {
            y.fill((byte) 3);
            work.plan(kind, fixture.matrix, strides, to);
            work.pass(source);
            work.run(kind, 1, type(fixture.wide), x, 0, y, 0, Shape.size(to));
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void softmaxOfALoopGivesTheBitsOfThatOfMemory(boolean wide) {
        for (long[] matrix : MATRICES) {
            try (var arena = Arena.ofShared()) {
                var fixture = new Fixture(arena, wide, matrix);
                var work = new RowWork();
                for (RowWork.Kind kind : List.of(RowWork.Kind.SOFTMAX, RowWork.Kind.LOG_SOFTMAX)) {
                    fixture.requireSame(kind + "", matrix[1], (source, x, y) -> {
                        y.fill((byte) 3);
                        work.pass(source, null);
                        work.run(kind, type(wide), matrix[0], matrix[1], x, 0, matrix[1], type(wide), y, 0);
                    });
                }
            }
        }
    }

    @Test
    void aMatrixWhosePiecesAreTooLargeIsReadFromMemory() {
        var work = new ReductionWork();
        long[] shape = {3, 600_000};
        assertTrue(work.plan(ReductionKind.SUM, shape, Shape.strides(shape), new long[] {3, 1}));
        assertEquals(0, work.sourceColumns(ReductionKind.SUM, false));
        var x = new BlockView(0, Element.FLOAT32, 0, Shape.strides(shape));
        assertNull(RecordedLaunch.Matrix.of(x, shape, 0));
    }

    private static void requireNoGarbage(Runnable run) {
        for (int i = 0; i < 100; i++) {
            run.run();
        }
        long before = THREADS.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 200; i++) {
            run.run();
        }
        assertEquals(0, THREADS.getCurrentThreadAllocatedBytes() - before);
    }

    /// In scalar form: the vector form's trials make objects.
    @Test
    void aRunMakesNoObjects() {
        onThreads(1, () -> {
            try (var arena = Arena.ofShared()) {
                long[] matrix = {9, 100};
                allocate(arena, false, matrix);
                var chain = new Chain(false, 3);
                BlockView y = example(chain, matrix);
                var loop = (FusedLaunch.Loop) chain.fuse(y.block()).getFirst();
                var work = new FusedWork(loop.program(), loop.operands(), loop.shape(), FusedScalarLoop::of);
                MemorySegment[] memory = blocks.memory(loop.operands());
                requireNoGarbage(() -> work.run(memory));
                List<BlockView> inputs = loop.operands().subList(0, 3);
                var source = new FusedSource(loop.program(), inputs, matrix, 100, FusedScalarLoop::of);
                source.bind(blocks.memory(inputs));
                requireNoGarbage(() -> Scratch.give(source.compute(2, 0, 7, 100)));
                requireNoGarbage(() -> Scratch.give(source.compute(1, 3, 8, 90)));
            }
        });
    }

    /// The operands lie such that the grid has an outer axis.
    @Test
    void aRunAfterOneThatFailedIsRight() {
        try (var arena = Arena.ofShared()) {
            for (int k = 0; k < 4; k++) {
                blocks.add(arena, Element.INT32, 200, random);
            }
            long[] shape = {3, 4, 5};
            long[] swapped = {1, 15, 3};
            var chain = new Chain(false, 2);
            var a = new BlockView(0, Element.INT32, 0, swapped);
            var b = new BlockView(1, Element.INT32, 0, swapped);
            var t = new BlockView(2, Element.INT32, 0, Shape.strides(shape));
            var y = new BlockView(3, Element.INT32, 0, Shape.strides(shape));
            chain.add(IntegerKernels.floorDivide(false), List.of(a, b), t, shape);
            chain.add(IntegerKernels.of(BinaryKernel.SUBTRACT, false), List.of(t, a), y, shape);
            var loop = (FusedLaunch.Loop) chain.fuse(3).getFirst();
            var work = new FusedWork(loop.program(), loop.operands(), loop.shape());
            MemorySegment[] memory = blocks.memory(loop.operands());
            MemorySegment divisors = blocks.memory(1);
            for (int i = 0; i < 59; i++) {
                divisors.setAtIndex(JAVA_INT, i, i + 1);
            }
            divisors.setAtIndex(JAVA_INT, 59, 0);
            assertThrows(ArithmeticException.class, () -> work.run(memory));
            divisors.setAtIndex(JAVA_INT, 59, 7);
            blocks.spoil(3);
            work.run(memory);
            String actual = blocks.bits(3);
            blocks.spoil(3);
            chain.launches.forEach(launch -> blocks.run((RecordedLaunch.Elementwise) launch));
            assertEquals(blocks.bits(3), actual);
        }
    }

    private static ElementKind type(boolean wide) {
        return wide ? ElementKind.FLOAT64 : ElementKind.FLOAT32;
    }
}
