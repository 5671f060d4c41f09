package org.toydiff.internal.fusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.toydiff.internal.fusion.RecordedLaunch.Elementwise;
import org.toydiff.internal.fusion.RecordedLaunch.Other;
import org.toydiff.internal.kernels.Kernel;

/// Fused launches against the launches one by one: raw bits of every block that is needed afterwards.
class FuserTest {
    private static final long[][] SHAPES = {{}, {1}, {7}, {64}, {131}, {3, 70}, {2, 5, 1}, {2, 3, 66}, {0, 3}, {5, 0}};

    interface Loops extends BiFunction<LoopProgram, Columns[], Kernel.Fused> {}

    /// {@return ways to make a loop: over single elements, and over vectors of each width that the machine has}
    static Map<String, Loops> forms() {
        Map<String, Loops> forms = new LinkedHashMap<>();
        forms.put("chosen", FusedLoops::of);
        forms.put("scalar", FusedScalarLoop::of);
        int widest = FloatVector.SPECIES_PREFERRED.vectorBitSize();
        for (VectorShape shape : List.of(VectorShape.S_128_BIT, VectorShape.S_256_BIT, VectorShape.S_512_BIT)) {
            if (shape.vectorBitSize() <= widest) {
                forms.put(shape.toString(), (program, columns) -> vectors(program, columns, shape));
            }
        }
        return forms;
    }

    private static Kernel.Fused vectors(LoopProgram program, Columns[] columns, VectorShape shape) {
        Kernel.Fused scalar = FusedScalarLoop.of(program, columns);
        return program.graph().hasVectorForm() && Columns.adjacent(columns)
                ? FusedVectorLoop.of(program, columns, shape, scalar)
                : scalar;
    }

    private static void runOther(Blocks blocks, Other other) {
        int from = other.reads().iterator().next();
        int to = other.writes().iterator().next();
        // Moves the bytes of a truth value or of a number, so that a block keeps elements of its type.
        if (from != to && blocks.element(from) == blocks.element(to)) {
            MemorySegment x = blocks.memory(from);
            MemorySegment y = blocks.memory(to);
            MemorySegment.copy(x, 0, y, 0, Math.min(x.byteSize(), y.byteSize()));
        }
    }

    private static void run(Blocks blocks, RandomLaunches random, int place) {
        RandomLaunches.StreamedRun streamed = random.streamed.get(place);
        if (streamed != null) {
            streamed.run(blocks, null, null, true);
        } else if (random.launches.get(place) instanceof Elementwise each) {
            blocks.run(each);
        } else {
            runOther(blocks, (Other) random.launches.get(place));
        }
    }

    private static void run(Blocks blocks, RandomLaunches random, List<FusedLaunch> fused, Loops loops) {
        for (FusedLaunch launch : fused) {
            switch (launch) {
                case FusedLaunch.Unchanged each -> run(blocks, random, each.launch());
                case FusedLaunch.Loop loop ->
                    new FusedWork(loop.program(), loop.operands(), loop.shape(), loops)
                            .run(blocks.memory(loop.operands()));
                case FusedLaunch.Streamed each ->
                    random.streamed
                            .get(each.launch())
                            .run(
                                    blocks,
                                    Chain.source(each, blocks, loops),
                                    Chain.sink(each, blocks, loops),
                                    each.keepsResult());
            }
        }
    }

    private static List<Integer> places(List<FusedLaunch> fused) {
        List<Integer> places = new ArrayList<>();
        for (FusedLaunch launch : fused) {
            switch (launch) {
                case FusedLaunch.Unchanged each -> places.add(each.launch());
                case FusedLaunch.Loop loop -> places.addAll(loop.launches());
                case FusedLaunch.Streamed each -> {
                    if (each.source() != null) {
                        places.addAll(each.source().launches());
                    }
                    places.add(each.launch());
                    if (each.sink() != null) {
                        places.addAll(each.sink().launches());
                    }
                }
            }
        }
        return places.stream().sorted().toList();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void randomProgramsGiveTheBitsOfTheirLaunches(boolean wide) {
        int merged = 0;
        int dropped = 0;
        int left = 0;
        int fed = 0;
        int taken = 0;
        int between = 0;
        Map<String, Loops> forms = forms();
        for (int seed = 0; seed < 80; seed++) {
            try (var arena = Arena.ofShared()) {
                long[] shape = SHAPES[seed % SHAPES.length];
                var random = new RandomLaunches(arena, shape, wide, 6 + seed % 13, seed);
                List<FusedLaunch> fused = Fuser.fuse(random.launches, random.kept);
                List<Integer> places = places(fused);
                for (int place = 0; place < random.launches.size(); place++) {
                    int times = Collections.frequency(places, place);
                    assertTrue(
                            times == 1 || times == 0 && random.launches.get(place) instanceof Elementwise,
                            "launch " + place + " is there " + times + " times");
                    left += 1 - times;
                }
                Blocks expected = random.blocks.copy(arena);
                IntStream.range(0, random.launches.size()).forEach(place -> run(expected, random, place));
                int at = seed;
                forms.forEach((name, loops) -> {
                    Blocks actual = random.blocks.copy(arena);
                    run(actual, random, fused, loops);
                    for (int block : random.kept) {
                        assertEquals(
                                expected.bits(block),
                                actual.bits(block),
                                () -> "seed " + at + ", " + name + ", block " + block + "\n" + fused);
                    }
                });
                for (FusedLaunch launch : fused) {
                    if (launch instanceof FusedLaunch.Loop loop) {
                        merged += loop.launches().size();
                        dropped += loop.launches().size()
                                - loop.program().outputs().size();
                    }
                    if (launch instanceof FusedLaunch.Streamed each) {
                        fed += each.source() == null ? 0 : 1;
                        taken += each.sink() == null ? 0 : 1;
                        between += each.source() == null || each.sink() == null ? 0 : 1;
                    }
                }
            }
        }
        assertTrue(merged > 160, merged + " launches merged");
        assertTrue(dropped > 40, dropped + " results dropped");
        assertTrue(left > 20, left + " launches left out");
        assertTrue(fed > 4, fed + " launches fed");
        assertTrue(taken > 4, taken + " results taken");
        assertTrue(between > 0, between + " launches between two loops");
    }
}
