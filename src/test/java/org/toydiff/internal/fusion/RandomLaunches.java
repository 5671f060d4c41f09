package org.toydiff.internal.fusion;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.toydiff.internal.fusion.RecordedLaunch.Elementwise;
import org.toydiff.internal.fusion.RecordedLaunch.Matrix;
import org.toydiff.internal.fusion.RecordedLaunch.Other;
import org.toydiff.internal.fusion.RecordedLaunch.Streamed;
import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.CastKernels;
import org.toydiff.internal.kernels.CopyKernels;
import org.toydiff.internal.kernels.Element;
import org.toydiff.internal.kernels.IntegerKernels;
import org.toydiff.internal.kernels.LogicKernel;
import org.toydiff.internal.kernels.UnaryKernel;
import org.toydiff.internal.launch.DropoutWork;
import org.toydiff.internal.launch.ElementKind;
import org.toydiff.internal.launch.ElementSink;
import org.toydiff.internal.launch.ElementSource;
import org.toydiff.internal.launch.ReductionKind;
import org.toydiff.internal.launch.ReductionWork;
import org.toydiff.internal.launch.RowWork;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.normalization.RowNormalizationWork;
import org.toydiff.internal.random.DropoutMask;

/// A random program of launches: kernels of all kinds on operands that are contiguous, repeated, transposed or
/// stepped, some of them written in place, with other launches between them.
final class RandomLaunches {
    final Blocks blocks = new Blocks();
    final List<RecordedLaunch> launches = new ArrayList<>();
    final Set<Integer> kept = new HashSet<>();

    /// Runs a launch, whose first operand is computed by `source` and whose result is taken by `sink`, which may be
    /// null.
    interface StreamedRun {
        void run(Blocks blocks, ElementSource source, ElementSink sink, boolean keepsResult);
    }

    /// By place.
    final Map<Integer, StreamedRun> streamed = new HashMap<>();

    /// Blocks that nothing is to read any more.
    private final Set<Integer> consumed = new HashSet<>();

    private final SplittableRandom random;
    private final Arena arena;
    private final long[] shape;
    private final Element real;
    private final Element integer;

    /// BFLOAT16 beside FLOAT32, and FLOAT32 beside FLOAT64.
    private final Element half;

    RandomLaunches(Arena arena, long[] shape, boolean wide, int count, long seed) {
        this.arena = arena;
        this.shape = shape;
        random = new SplittableRandom(seed);
        real = wide ? Element.FLOAT64 : Element.FLOAT32;
        integer = wide ? Element.INT64 : Element.INT32;
        half = wide ? Element.FLOAT32 : Element.BFLOAT16;
        for (Element element : List.of(real, real, real, half, half, integer, integer, Element.BOOL, Element.BOOL)) {
            kept.add(block(element));
        }
        for (int i = 0; i < count; i++) {
            launches.add(
                    switch (random.nextInt(14)) {
                        case 0 -> other();
                        case 1, 2 -> Shape.empty(shape) ? other() : streamed(i);
                        case 3, 4 -> fill();
                        default -> elementwise();
                    });
        }
        for (int block = kept.size(); block < blocks.count(); block++) {
            if (random.nextInt(4) == 0 && !consumed.contains(block)) {
                kept.add(block);
            }
        }
        kept.add(blocks.count() - 1);
    }

    private int block(Element element) {
        return blocks.add(arena, element, (int) (3 * Shape.size(shape) + 8), random);
    }

    /// {@return a launch that reads one block and writes another}
    private Other other() {
        return new Other(Set.of(random.nextInt(blocks.count())), Set.of(random.nextInt(blocks.count())));
    }

    /// {@return a launch that sets the elements of a block to a number}
    private Elementwise fill() {
        Element type = any(random, List.of(real, half, integer));
        double value = any(random, List.of(-0.0, 1.0, 3.0, 0.3, -7.5));
        int block = random.nextInt(4) == 0 ? known(type) : block(type);
        return Elementwise.fill(value, new BlockView(block, type, random.nextInt(3), Shape.strides(shape)), shape);
    }

    /// {@return a reduction, softmax, dropout or normalisation of a contiguous operand}
    private RecordedLaunch streamed(int place) {
        long offset = Math.max(0, random.nextInt(6) - 3);
        BlockView x = new BlockView(last(real), real, offset, Shape.strides(shape));
        if (!kept.contains(x.block()) && random.nextInt(3) > 0) {
            consumed.add(x.block());
        }
        return switch (shape.length == 0 ? 0 : random.nextInt(5)) {
            case 0, 1 -> reduction(x, place);
            case 2 -> softmax(x, place);
            case 3 -> dropout(x, place);
            default -> normalisation(x, place);
        };
    }

    private RecordedLaunch softmax(BlockView x, int place) {
        ElementKind type = real == Element.FLOAT64 ? ElementKind.FLOAT64 : ElementKind.FLOAT32;
        var kind = random.nextBoolean() ? RowWork.Kind.SOFTMAX : RowWork.Kind.LOG_SOFTMAX_GRADIENT;
        int second = kind == RowWork.Kind.SOFTMAX ? -1 : known(real);
        int y = block(real);
        long n = shape[shape.length - 1];
        long rows = Shape.size(shape) / n;
        var work = new RowWork();
        streamed.put(place, (blocks, source, sink, keepsResult) -> {
            if (second >= 0) {
                work.second(type, blocks.memory(second), 0, n);
            }
            work.pass(source, sink);
            MemorySegment from = source == null ? blocks.memory(x.block()) : null;
            work.run(kind, type, rows, n, from, x.offset(), n, type, result(blocks, y, keepsResult), 0);
        });
        List<BlockView> aligned = second < 0 ? List.of() : List.of(contiguous(second));
        return new Streamed(Matrix.of(x, shape, n), whole(y), aligned, Set.of(), Set.of(y));
    }

    private BlockView contiguous(int block) {
        return new BlockView(block, blocks.element(block), 0, Shape.strides(shape));
    }

    private Matrix whole(int block) {
        return Matrix.of(contiguous(block), shape, Shape.size(shape));
    }

    private static MemorySegment result(Blocks blocks, int y, boolean keepsResult) {
        return keepsResult ? blocks.memory(y) : null;
    }

    /// {@return a dropout, over its operand now and then}
    private RecordedLaunch dropout(BlockView x, int place) {
        ElementKind type = kindOf(real);
        int y = x.offset() == 0 && random.nextInt(4) == 0 ? x.block() : block(real);
        var mask = new DropoutMask(0.4);
        mask.draw(random);
        var work = new DropoutWork();
        streamed.put(place, (blocks, source, sink, keepsResult) -> {
            work.pass(source, sink);
            MemorySegment from = source == null ? blocks.memory(x.block()) : null;
            work.run(mask, type, Shape.size(shape), from, x.offset(), result(blocks, y, keepsResult), 0);
        });
        return new Streamed(Matrix.of(x, shape, Shape.size(shape)), whole(y), List.of(), Set.of(), Set.of(y));
    }

    /// {@return a normalisation by rows, or the gradients of one}
    private RecordedLaunch normalisation(BlockView x, int place) {
        boolean wide = real == Element.FLOAT64;
        long n = shape[shape.length - 1];
        long rows = Shape.size(shape) / n;
        assert RowNormalizationWork.parts(rows) == 1 : "a block has room for one row of sums";
        int weight = known(real);
        int g = random.nextBoolean() ? -1 : known(real);
        int y = block(real);
        int sums = block(real);
        var work = new RowNormalizationWork();
        streamed.put(place, (blocks, source, sink, keepsResult) -> {
            work.input(wide, 1e-5, blocks.memory(x.block()), x.offset());
            work.weight(blocks.memory(weight), 0);
            MemorySegment result = result(blocks, y, keepsResult);
            if (result != null) {
                work.result(result, 0);
            }
            work.pass(sink);
            if (g < 0) {
                work.forward(false, rows, n);
            } else {
                work.gradient(blocks.memory(g), 0);
                work.toWeight(blocks.memory(sums), 0);
                work.backward(true, rows, n);
            }
        });
        List<BlockView> aligned = g < 0 ? List.of(x) : List.of(contiguous(g), x);
        Set<Integer> writes = g < 0 ? Set.of(y) : Set.of(y, sums);
        return new Streamed(null, whole(y), aligned, Set.of(weight), writes);
    }

    private RecordedLaunch reduction(BlockView x, int place) {
        boolean wide = real == Element.FLOAT64;
        ElementKind type = wide ? ElementKind.FLOAT64 : ElementKind.FLOAT32;
        var work = new ReductionWork();
        ReductionKind kind = any(random, List.of(ReductionKind.values()));
        long[] to = shape.clone();
        for (int axis = 0; axis < to.length; axis++) {
            to[axis] = random.nextBoolean() ? 1 : to[axis];
        }
        if (!work.plan(kind, shape, x.strides(), to)) {
            return other();
        }
        int y = block(kind.isPosition() ? Element.INT64 : real);
        // An operand that is not fed is among the others.
        Set<Integer> reads = work.sourceColumns(kind, wide) == 0 ? Set.of(x.block()) : Set.of();
        streamed.put(place, (blocks, source, sink, keepsResult) -> {
            work.plan(kind, shape, x.strides(), to);
            work.pass(source);
            work.run(kind, 1, type, blocks.memory(x.block()), x.offset(), blocks.memory(y), 0, Shape.size(to));
        });
        return Chain.reader(x, shape, work.sourceColumns(kind, wide), reads, Set.of(y));
    }

    private static <T> T any(SplittableRandom random, List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    private Elementwise elementwise() {
        boolean wide = real == Element.FLOAT64;
        return switch (random.nextInt(13)) {
            case 0, 1 -> {
                UnaryKernel kernel = any(random, Arrays.asList(UnaryKernel.values()));
                boolean test = kernel.name().startsWith("IS_");
                yield launch(kernel.of(wide), List.of(real), test ? Element.BOOL : real);
            }
            case 2, 3, 4 -> {
                BinaryKernel kernel = any(random, Arrays.asList(BinaryKernel.values()));
                Element second = kernel.takesMask() ? Element.BOOL : real;
                yield launch(kernel.of(wide), List.of(real, second), isComparison(kernel) ? Element.BOOL : real);
            }
            case 10 -> {
                UnaryKernel kernel = any(random, Arrays.asList(UnaryKernel.values()));
                boolean test = kernel.name().startsWith("IS_");
                yield launch(kindOf(half).of(kernel), List.of(half), test ? Element.BOOL : half);
            }
            case 11 -> {
                BinaryKernel kernel = any(random, Arrays.asList(BinaryKernel.values()));
                Element second = kernel.takesMask() ? Element.BOOL : half;
                yield launch(
                        kindOf(half).of(kernel), List.of(half, second), isComparison(kernel) ? Element.BOOL : half);
            }
            case 12 -> {
                Element from = any(random, List.of(real, half));
                Element to = from == real ? half : real;
                yield launch(CastKernels.of(from, to), List.of(from), to);
            }
            case 5 -> launch(any(random, Arrays.asList(LogicKernel.values())).kernel(), bools(2), Element.BOOL);
            case 6 -> {
                List<BinaryKernel> kernels = Arrays.stream(BinaryKernel.values())
                        .filter(IntegerKernels::has)
                        .toList();
                BinaryKernel kernel = any(random, kernels);
                yield launch(
                        IntegerKernels.of(kernel, wide),
                        List.of(integer, integer),
                        isComparison(kernel) ? Element.BOOL : integer);
            }
            case 7 -> {
                Element from = any(random, List.of(real, integer, Element.BOOL));
                Element to = from == real ? Element.BOOL : any(random, List.of(real, integer, Element.BOOL));
                yield launch(CastKernels.of(from, to), List.of(from), to);
            }
            case 8 -> {
                Element type = any(random, List.of(real, half, integer, Element.BOOL));
                yield launch(CopyKernels.of(type.bytes).copy, List.of(type), type);
            }
            default -> {
                Element type = any(random, List.of(real, integer, Element.BOOL));
                yield launch(CopyKernels.of(type.bytes).put(), List.of(type, Element.BOOL), type);
            }
        };
    }

    private static ElementKind kindOf(Element element) {
        return ElementKind.valueOf(element.name());
    }

    private static boolean isComparison(BinaryKernel kernel) {
        return kernel.name().contains("EQUAL")
                || kernel.name().startsWith("LESS")
                || kernel.name().startsWith("GREATER");
    }

    private static List<Element> bools(int count) {
        return Collections.nCopies(count, Element.BOOL);
    }

    private Elementwise launch(Object kernel, List<Element> types, Element result) {
        List<BlockView> inputs = types.stream().map(this::input).toList();
        return Elementwise.of(kernel, inputs, output(inputs, result), shape);
    }

    /// {@return a block of that type, often the last one}
    private int known(Element type) {
        return random.nextInt(3) == 0 ? lastUpTo(random.nextInt(blocks.count()), type) : last(type);
    }

    private int last(Element type) {
        return lastUpTo(blocks.count() - 1, type);
    }

    private int lastUpTo(int limit, Element type) {
        int block = limit;
        while (blocks.element(block) != type || consumed.contains(block)) {
            block = block == 0 ? blocks.count() - 1 : block - 1;
        }
        return block;
    }

    private BlockView input(Element type) {
        long[] strides = Shape.strides(shape);
        long offset = 0;
        switch (random.nextInt(14)) {
            case 0 -> {
                for (int axis = 0; axis < strides.length; axis++) {
                    strides[axis] *= random.nextInt(2);
                }
                offset = random.nextInt(8);
            }
            case 1 -> strides = transposed();
            case 2 -> {
                for (int axis = 0; axis < strides.length; axis++) {
                    strides[axis] *= 2;
                }
                offset = 1;
            }
            default -> {}
        }
        return new BlockView(known(type), type, offset, strides);
    }

    private long[] transposed() {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int axis = 0; axis < shape.length; axis++) {
            strides[axis] = stride;
            stride *= Math.max(1, shape[axis]);
        }
        return strides;
    }

    /// {@return a new block, or an operand that has a place for each result}
    private BlockView output(List<BlockView> inputs, Element type) {
        for (BlockView input : inputs) {
            if (input.element() == type
                    && !Shape.overlapsItself(shape, input.strides())
                    && inputs.stream().allMatch(each -> each.block() != input.block() || each.equals(input))
                    && random.nextInt(3) == 0) {
                return input;
            }
        }
        return new BlockView(block(type), type, 0, Shape.strides(shape));
    }
}
