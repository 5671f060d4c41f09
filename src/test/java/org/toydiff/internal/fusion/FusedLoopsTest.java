package org.toydiff.internal.fusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import java.lang.classfile.ClassFile;
import java.lang.classfile.attribute.CodeAttribute;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import jdk.incubator.vector.VectorShape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.fusion.LoopProgram.Call;
import org.toydiff.internal.fusion.LoopProgram.Output;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.CastKernels;
import org.toydiff.internal.kernels.Element;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.kernels.Kernels;
import org.toydiff.internal.kernels.UnaryKernel;
import org.toydiff.internal.launch.ElementKind;

/// Which loops are generated, how long they are kept, and how large they are.
class FusedLoopsTest {
    /// The bytecodes beyond which HotSpot compiles no method (`HugeMethodLimit`).
    private static final int HUGE = 8_000;

    private static final long LIMIT_NANOS = 300_000_000_000L;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static Call call(Object kernel, Integer... arguments) {
        Kernels.Formula formula = Kernels.formula(kernel);
        return new Call(formula.name(), formula.expression(), List.of(arguments));
    }

    private static Element real(Precision precision) {
        return precision == Precision.FLOAT64 ? Element.FLOAT64 : Element.FLOAT32;
    }

    /// {@return a program of two inputs with one output, its last value}
    private static LoopProgram program(Precision precision, Call... calls) {
        Element real = real(precision);
        return new LoopProgram(
                precision, List.of(real, real), List.of(), List.of(calls), List.of(new Output(calls.length + 1, real)));
    }

    /// {@return a program that differs from those with another number in the sequence of its operations}
    private static LoopProgram numbered(int number) {
        List<Call> calls = new ArrayList<>();
        for (int bit = 0; bit < 12; bit++) {
            BinaryKernel kernel = (number >> bit & 1) == 0 ? BinaryKernel.ADD : BinaryKernel.MULTIPLY;
            calls.add(call(kernel.of(false), bit == 0 ? 0 : bit + 1, 1));
        }
        return program(Precision.FLOAT32, calls.toArray(Call[]::new));
    }

    private static Columns[] contiguous(int operands) {
        var columns = new Columns[operands];
        Arrays.fill(columns, Columns.CONTIGUOUS);
        return columns;
    }

    private static Kernel.Fused loop(LoopProgram program) {
        return FusedLoops.of(program, contiguous(program.operandCount()));
    }

    @Test
    void equalProgramsShareALoop() {
        assertSame(loop(numbered(3000)), loop(numbered(3000)));
        assertNotSame(loop(numbered(3000)), loop(numbered(3001)));
        Columns[] repeated = contiguous(3);
        repeated[1] = Columns.REPEATED;
        assertNotSame(loop(numbered(3000)), FusedLoops.of(numbered(3000), repeated));
        Call negative = call(UnaryKernel.NEGATIVE.of(false), 0);
        Call sum = call(BinaryKernel.ADD.of(false), 2, 1);
        LoopProgram stored = new LoopProgram(
                Precision.FLOAT32,
                List.of(Element.FLOAT32, Element.FLOAT32),
                List.of(),
                List.of(negative, sum),
                List.of(new Output(2, Element.FLOAT32), new Output(3, Element.FLOAT32)));
        assertNotSame(loop(program(Precision.FLOAT32, negative, sum)), loop(stored));
    }

    @Test
    void theLoopsAskedForLastAreKeptAndTheOthersUnloaded() {
        var kept = new WeakReference<>(loop(numbered(0)));
        var lost = new WeakReference<>(loop(numbered(1)));
        for (int i = 2; i < FusedLoops.BOUND + 2; i++) {
            loop(numbered(i));
            assertTrue(FusedLoops.size() <= FusedLoops.BOUND);
            assertSame(kept.get(), loop(numbered(0)));
        }
        assertEquals(FusedLoops.BOUND, FusedLoops.size());
        for (int i = 0; i < 100 && lost.get() != null; i++) {
            System.gc();
        }
        assertNull(lost.get());
    }

    /// The vector form takes over once it has been compiled.
    @ParameterizedTest
    @EnumSource
    void aLoopGivesTheSameBitsAtItsFirstCallAndAtItsLast(Precision precision) {
        boolean wide = precision == Precision.FLOAT64;
        int n = 4_099;
        Kernel.Fused loop = loop(program(
                precision,
                call(BinaryKernel.MULTIPLY.of(wide), 0, 1),
                call(UnaryKernel.TANH.of(wide), 2),
                call(BinaryKernel.SUBTRACT.of(wide), 3, 0)));
        try (var arena = Arena.ofShared()) {
            var blocks = new Blocks();
            for (int k = 0; k < 4; k++) {
                blocks.add(arena, real(precision), n, new SplittableRandom(k));
            }
            MemorySegment first = blocks.memory(2);
            MemorySegment later = blocks.memory(3);
            long[] starts = new long[3];
            long[] steps = {1, 1, 1};
            MemorySegment[] operands = {blocks.memory(0), blocks.memory(1), first};
            loop.run(operands, starts, starts, steps, 0, 0, 1, n);
            operands[2] = later;
            for (int i = 0; i < 1_500; i++) {
                loop.run(operands, starts, starts, steps, 0, 0, 1, n);
                assertEquals(-1, first.mismatch(later));
            }
        }
    }

    private static LoopProgram bfloat16() {
        return new LoopProgram(
                Precision.FLOAT32,
                List.of(Element.BFLOAT16, Element.FLOAT32),
                List.of(),
                List.of(
                        call(ElementKind.BFLOAT16.of(UnaryKernel.SIGMOID), 0),
                        call(CastKernels.of(Element.BFLOAT16, Element.FLOAT32), 2),
                        call(BinaryKernel.MULTIPLY.of(false), 3, 1),
                        call(CastKernels.of(Element.FLOAT32, Element.BFLOAT16), 4)),
                List.of(new Output(5, Element.BFLOAT16)));
    }

    /// Kernels with more live values than there are registers, and conversions.
    static Stream<LoopProgram> unusualPrograms() {
        Stream<LoopProgram> powers = Stream.of(Precision.values()).map(precision -> {
            boolean wide = precision == Precision.FLOAT64;
            Call power = call(BinaryKernel.POWER.of(wide), 0, 1);
            Call angle = call(BinaryKernel.ATAN2.of(wide), 2, 0);
            return program(precision, power, angle, call(BinaryKernel.ADD.of(wide), 3, 2));
        });
        return Stream.concat(powers, Stream.of(bfloat16()));
    }

    @ParameterizedTest
    @MethodSource("unusualPrograms")
    void vectorsAreNoObjectsInAnyProgram(LoopProgram program) {
        assumeTrue(Kernels.haveVectors());
        assertTrue(program.fits(), program.toString());
        int n = 4_096;
        Kernel.Fused loop = FusedLoops.create(program, new long[] {1, 1, 1});
        try (var arena = Arena.ofShared()) {
            var blocks = new Blocks();
            for (int k = 0; k < 3; k++) {
                blocks.add(arena, program.element(k), n, new SplittableRandom(k));
            }
            MemorySegment[] operands = {blocks.memory(0), blocks.memory(1), blocks.memory(2)};
            long[] starts = new long[3];
            long[] steps = {1, 1, 1};
            int before = Kernels.vectorLoops();
            // C2 takes seconds for such loops, and longer on a busy machine: the limit is for a loop that fails.
            long limit = System.nanoTime() + LIMIT_NANOS;
            while (Kernels.vectorLoops() == before && System.nanoTime() - limit < 0) {
                loop.run(operands, starts, starts, steps, 0, 0, 1, n);
            }
            assertTrue(Kernels.vectorLoops() > before, "the vector form has made no objects in a trial");
            long bytes = THREADS.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 1_000; i++) {
                loop.run(operands, starts, starts, steps, 0, 0, 1, n);
            }
            bytes = THREADS.getCurrentThreadAllocatedBytes() - bytes;
            assertTrue(bytes < n, bytes + " B in a thousand runs");
        }
    }

    private static int largestMethod(byte[] classFile) {
        return ClassFile.of().parse(classFile).methods().stream()
                .flatMap(method -> method.code().stream())
                .mapToInt(code -> ((CodeAttribute) code).codeLength())
                .max()
                .orElseThrow();
    }

    /// Programs of random kernels, to which kernels are added as long as they fit.
    @ParameterizedTest
    @EnumSource
    void theLargestProgramsAreMethodsThatAreCompiled(Precision precision) {
        boolean wide = precision == Precision.FLOAT64;
        int operations = 0;
        for (int seed = 0; seed < 12; seed++) {
            var random = new SplittableRandom(seed);
            LoopProgram largest = program(precision, call(BinaryKernel.ADD.of(wide), 0, 1));
            for (int failures = 0; failures < 12; ) {
                List<Call> calls = new ArrayList<>(largest.calls());
                int last = calls.size() + 1;
                UnaryKernel unary = UnaryKernel.values()[random.nextInt(UnaryKernel.values().length)];
                boolean isTest = unary.name().startsWith("IS_");
                calls.add(
                        isTest
                                ? call(BinaryKernel.REMAINDER.of(wide), last, random.nextInt(last))
                                : call(unary.of(wide), last));
                LoopProgram larger = program(precision, calls.toArray(Call[]::new));
                failures += larger.fits() ? 0 : 1;
                largest = larger.fits() ? larger : largest;
            }
            operations = Math.max(operations, largest.graph().operationCount());
            Columns[] columns = contiguous(3);
            int scalar = largestMethod(new FusedScalarLoop(largest).write());
            int vectors = largestMethod(new FusedVectorLoop(largest, columns, VectorShape.S_128_BIT).write());
            assertTrue(scalar < HUGE && vectors < HUGE, scalar + " and " + vectors + " bytes:\n" + largest);
        }
        assertTrue(operations > LoopProgram.MAX_OPERATIONS - 30, operations + " operations");
    }
}
