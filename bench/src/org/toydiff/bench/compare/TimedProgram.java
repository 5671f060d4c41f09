package org.toydiff.bench.compare;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// A function that every peer has under the same name, at one size.
///
/// @param program its name
/// @param size the batch of a training step, or a number of elements
/// @param calls the calls of a sample
/// @param samples the samples of a round
/// @param arrays the number of arrays of that size that must be read or written, whose time the bandwidth of memory
///     limits; 0 if something else does
record TimedProgram(String program, int size, int calls, int samples, int arrays) {
    private static final int[] BATCHES = {1, 8, 32, 128, 1024, 8192};
    private static final int[] MLP_ROWS = {64, 1024, 16_384};
    private static final int[] BLOCK_ELEMENTS = {1 << 16, 1 << 20, 1 << 24};

    /// Reads x and writes y.
    private static final int FORWARD = 2;

    /// Reads x and writes y; reads x and the gradient of y, and writes that of x.
    private static final int FORWARD_AND_BACKWARD = 5;

    /// The classifier of the other tables, and the regressions that are bound by the overhead of ops.
    static final String CLASSIFIER = "classifier";

    static final String LOGISTIC_REGRESSION = "logistic-regression";

    /// Elementwise ops so small that only their overhead is measured.
    static List<TimedProgram> overheads() {
        return List.of(new TimedProgram("add", 16, 1000, 50, 0), new TimedProgram("gelu-add", 16, 1000, 50, 0));
    }

    static List<TimedProgram> trainingSteps() {
        List<TimedProgram> steps = new ArrayList<>();
        for (int batch : BATCHES) {
            steps.add(new TimedProgram(CLASSIFIER, batch, 1, Math.clamp(20_000 / batch, 5, 200), 0));
        }
        steps.add(new TimedProgram("softmax-regression", 64, 10, 50, 0));
        steps.add(new TimedProgram(LOGISTIC_REGRESSION, 64, 100, 50, 0));
        for (int rows : MLP_ROWS) {
            steps.add(new TimedProgram("gelu-mlp", rows, 1, Math.clamp(20_000 / rows, 3, 200), 0));
        }
        return steps;
    }

    static List<TimedProgram> blocks() {
        List<TimedProgram> blocks = new ArrayList<>();
        for (String block : List.of("gelu", "layernorm", "softmax")) {
            for (int elements : BLOCK_ELEMENTS) {
                blocks.add(block(block + "-forward", elements, FORWARD));
                blocks.add(block(block, elements, FORWARD_AND_BACKWARD));
            }
        }
        return blocks;
    }

    private static TimedProgram block(String program, int elements, int arrays) {
        boolean inMemory = elements == BLOCK_ELEMENTS[BLOCK_ELEMENTS.length - 1];
        return new TimedProgram(program, elements, 1, Math.clamp((1 << 26) / elements, 10, 100), inMemory ? arrays : 0);
    }

    /// Convolution, attention, recurrence, and nets of them. Their size is the batch; attention's is the length.
    static List<TimedProgram> layers() {
        return List.of(
                new TimedProgram("conv2d", 32, 1, 5, 0),
                new TimedProgram("attention", 4096, 1, 3, 0),
                new TimedProgram("lstm", 64, 1, 5, 0),
                new TimedProgram("cnn", 64, 1, 20, 0),
                new TimedProgram("chargpt", 32, 1, 5, 0));
    }

    /// Attention of the same size that has all scores in memory, whose memory is compared, and not its time.
    static TimedProgram materialisedAttention() {
        return new TimedProgram("attention-materialised", 4096, 1, 1, 0);
    }

    /// Returns each of some programs once, at a sixteenth of its first size, for a run that measures nothing.
    static List<TimedProgram> quick(List<TimedProgram> programs) {
        Set<String> seen = new HashSet<>();
        return programs.stream()
                .filter(timed -> seen.add(timed.program))
                .map(timed -> new TimedProgram(timed.program, Math.max(1, timed.size / 16), 1, 2, timed.arrays))
                .toList();
    }

    /// Returns the name of its row.
    String name() {
        return program + " " + size;
    }

    /// Returns its part of a request.
    String request() {
        return program + " " + size;
    }

    /// Returns the bytes that must be read or written.
    long leastBytes() {
        return (long) arrays * size * Float.BYTES;
    }
}
