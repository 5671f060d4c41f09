package org.toydiff.internal.fusion;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.toydiff.internal.arithmetic.Expression;
import org.toydiff.internal.arithmetic.Interpreter;
import org.toydiff.internal.fusion.RecordedLaunch.Elementwise;
import org.toydiff.internal.kernels.CastKernels;
import org.toydiff.internal.kernels.Element;

/// Blocks of memory for tests of fused loops, and the naive execution of launches over them.
final class Blocks {
    private static final double[] SPECIAL = {
        0.0, -0.0, 1, -1, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1e-40, -1e-310, 1e30, -88, 0.5
    };

    private final List<Element> elements = new ArrayList<>();
    private final List<MemorySegment> memory = new ArrayList<>();

    /// Adds a block with random elements, special ones among them.
    int add(Arena arena, Element element, int size, SplittableRandom random) {
        int block = addOrdinary(arena, element, size, random);
        for (int i = 0; i < size; i++) {
            if (random.nextInt(8) == 0) {
                double special = SPECIAL[random.nextInt(SPECIAL.length)];
                switch (element) {
                    case FLOAT32 -> memory(block).setAtIndex(JAVA_FLOAT, i, (float) special);
                    case FLOAT64 -> memory(block).setAtIndex(JAVA_DOUBLE, i, special);
                    case BFLOAT16 -> memory(block).setAtIndex(JAVA_SHORT, i, CastKernels.bfloat16(special));
                    default -> {}
                }
            }
        }
        return block;
    }

    /// Adds a block with random elements.
    int addOrdinary(Arena arena, Element element, int size, SplittableRandom random) {
        MemorySegment block = arena.allocate((long) size * element.bytes, 64);
        for (int i = 0; i < size; i++) {
            switch (element) {
                case BOOL -> block.set(JAVA_BYTE, i, (byte) random.nextInt(2));
                case INT32 -> block.setAtIndex(JAVA_INT, i, random.nextInt() >> random.nextInt(32));
                case INT64 -> block.setAtIndex(JAVA_LONG, i, random.nextLong() >> random.nextInt(64));
                case FLOAT32 -> block.setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(-4, 4));
                case FLOAT64 -> block.setAtIndex(JAVA_DOUBLE, i, random.nextDouble(-4, 4));
                case BFLOAT16 -> block.setAtIndex(JAVA_SHORT, i, CastKernels.bfloat16(random.nextDouble(-4, 4)));
            }
        }
        elements.add(element);
        memory.add(block);
        return memory.size() - 1;
    }

    void clear() {
        elements.clear();
        memory.clear();
    }

    int count() {
        return memory.size();
    }

    Element element(int block) {
        return elements.get(block);
    }

    MemorySegment memory(int block) {
        return memory.get(block);
    }

    MemorySegment[] memory(List<BlockView> operands) {
        return operands.stream().map(view -> memory.get(view.block())).toArray(MemorySegment[]::new);
    }

    Blocks copy(Arena arena) {
        var copy = new Blocks();
        copy.elements.addAll(elements);
        for (MemorySegment block : memory) {
            copy.memory.add(arena.allocate(block.byteSize(), 64).copyFrom(block));
        }
        return copy;
    }

    /// Fills a block with bits that no result has.
    void spoil(int block) {
        memory.get(block).fill((byte) (element(block) == Element.BOOL ? 1 : 0x5b));
    }

    /// {@return the bits of a block's elements, those of all NaN being equal}
    String bits(int block) {
        var text = new StringBuilder();
        MemorySegment x = memory.get(block);
        for (long i = 0; i < x.byteSize() / element(block).bytes; i++) {
            switch (element(block)) {
                case BOOL -> text.append(x.get(JAVA_BYTE, i));
                case INT32 -> text.append(x.getAtIndex(JAVA_INT, i));
                case INT64 -> text.append(x.getAtIndex(JAVA_LONG, i));
                case FLOAT32 -> text.append(x.getAtIndex(JAVA_FLOAT, i));
                case FLOAT64 -> text.append(x.getAtIndex(JAVA_DOUBLE, i));
                case BFLOAT16 -> text.append(half(x, i));
            }
            text.append(' ');
        }
        return text.toString();
    }

    /// Runs a launch, element by element.
    void run(Elementwise launch) {
        run(launch, 0, new long[launch.shape().length]);
    }

    private void run(Elementwise launch, int axis, long[] index) {
        if (axis < index.length) {
            for (long i = 0; i < launch.shape()[axis]; i++) {
                index[axis] = i;
                run(launch, axis + 1, index);
            }
            return;
        }
        boolean wide = launch.expression().precision().size == Long.SIZE;
        Object[] operands = launch.inputs().stream()
                .map(view -> get(view, place(view, index), wide))
                .toArray();
        set(launch.output(), place(launch.output(), index), value(launch.expression(), operands));
    }

    private static Object value(Expression expression, Object[] operands) {
        return Interpreter.evaluate(expression, operands, new Number[0]);
    }

    private static long place(BlockView view, long[] index) {
        long place = view.offset();
        for (int axis = 0; axis < index.length; axis++) {
            place += index[axis] * view.strides()[axis];
        }
        return place;
    }

    /// {@return an element as the interpreter wants it: an integer as the number with its bits}
    private Object get(BlockView view, long at, boolean wide) {
        MemorySegment x = memory.get(view.block());
        if (view.element() == Element.BOOL) {
            return x.get(JAVA_BYTE, at) != 0;
        }
        if (view.element() == Element.BFLOAT16) {
            return half(x, at);
        }
        if (wide && view.element() == Element.FLOAT32) {
            return (double) x.getAtIndex(JAVA_FLOAT, at);
        }
        return wide ? (Object) x.getAtIndex(JAVA_DOUBLE, at) : (Object) x.getAtIndex(JAVA_FLOAT, at);
    }

    private static float half(MemorySegment x, long at) {
        return Float.intBitsToFloat(x.getAtIndex(JAVA_SHORT, at) << Short.SIZE);
    }

    private void set(BlockView view, long at, Object value) {
        MemorySegment x = memory.get(view.block());
        if (view.element() == Element.BFLOAT16) {
            x.setAtIndex(JAVA_SHORT, at, (short) (Float.floatToRawIntBits((Float) value) >>> Short.SIZE));
            return;
        }
        switch (value) {
            case Boolean truth -> x.set(JAVA_BYTE, at, (byte) (truth ? 1 : 0));
            case Float number -> x.setAtIndex(JAVA_FLOAT, at, number);
            case Double number -> {
                if (view.element() == Element.FLOAT32) {
                    x.setAtIndex(JAVA_FLOAT, at, number.floatValue());
                } else {
                    x.setAtIndex(JAVA_DOUBLE, at, number);
                }
            }
            default -> throw new AssertionError(value);
        }
    }
}
