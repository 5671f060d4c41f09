package org.toydiff.examples;

import static org.toydiff.nn.Functional.crossEntropyLoss;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.toydiff.Autograd;
import org.toydiff.Blas;
import org.toydiff.CompiledFunction;
import org.toydiff.Memory;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.io.SafeTensors;
import org.toydiff.nn.KeyValueCache;
import org.toydiff.optim.AdamW;
import org.toydiff.optim.Gradients;
import org.toydiff.optim.Schedule;
import org.toydiff.optim.Scheduler;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Trains a small GPT on the characters of a text, and lets it write on.
@Command(
        name = "chargpt",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Trains a small GPT on the characters of a text, this library's sources by default.")
public final class CharGpt implements Callable<Integer> {
    private static final int STEPS_PER_LINE = 50;
    private static final int WARM_UP = 50;
    private static final double MAX_NORM = 1;

    /// Batches of the part that is held back.
    private static final int VALIDATION_BATCHES = 20;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--text",
            paramLabel = "PATH",
            defaultValue = "src/main/java",
            description = "A text file, or a folder of Java sources (default: ${DEFAULT-VALUE}).")
    private Path place;

    @Option(names = "--steps", defaultValue = "600", description = "Training steps (default: ${DEFAULT-VALUE}).")
    private int steps;

    @Option(names = "--batch", defaultValue = "32", description = "Sequences per step (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(names = "--context", defaultValue = "128", description = "Characters seen (default: ${DEFAULT-VALUE}).")
    private int context;

    @Option(names = "--layers", defaultValue = "4", description = "Blocks (default: ${DEFAULT-VALUE}).")
    private int layers;

    @Option(names = "--heads", defaultValue = "4", description = "Heads of attention (default: ${DEFAULT-VALUE}).")
    private int heads;

    @Option(names = "--width", defaultValue = "128", description = "The model's width (default: ${DEFAULT-VALUE}).")
    private int width;

    @Option(names = "--lr", defaultValue = "2e-3", description = "The highest rate (default: ${DEFAULT-VALUE}).")
    private double lr;

    @Option(names = "--characters", defaultValue = "500", description = "To write (default: ${DEFAULT-VALUE}).")
    private int characters;

    @Option(
            names = "--temperature",
            defaultValue = "0.8",
            description = "Of the drawing of characters; lower is more careful (default: ${DEFAULT-VALUE}).")
    private double temperature;

    @Option(names = "--seed", defaultValue = "1", description = "The seed (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--initial",
            paramLabel = "FILE",
            description = "Saves the untrained parameters there, for a peer that starts with them.")
    private Path initial;

    private CharacterText text;

    /// The state of the generator of positions, a linear congruential one that a peer can have too: D. Knuth, "The art
    /// of computer programming", volume 2, MMIX.
    private long positions;

    private CharGpt() {}

    /// Trains, evaluates and writes.
    ///
    /// @param arguments see `--help`
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new CharGpt())
                .setExecutionExceptionHandler((e, line, parsed) -> {
                    System.err.println("chargpt: " + e.getMessage());
                    return 1;
                })
                .execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        requireValidOptions();
        text = CharacterText.read(place);
        if (text.size() < 20 * context) {
            throw new ParameterException(
                    spec.commandLine(),
                    place + " has " + text.size() + " characters; give " + 20 * context + " or more");
        }
        System.out.printf(
                Locale.ROOT, "%,d characters of %s, %d distinct%n", text.size(), place, text.characters().length);
        System.out.println(Blas.version());
        Tensor.manualSeed(seed);
        positions = seed;
        try (var model = TensorArena.ofShared()) {
            var gpt = new Gpt(new Gpt.Sizes(text.characters().length, context, layers, heads, width));
            long parameters = gpt.parameters().stream().mapToLong(Tensor::size).sum();
            System.out.printf(Locale.ROOT, "%,d parameters%n", parameters);
            if (initial != null) {
                SafeTensors.save(initial, gpt.stateDict());
            }
            train(gpt);
            System.out.printf(Locale.ROOT, "validation loss: %.4f%n", validate(gpt));
            write(gpt);
        }
        System.out.println("live after closing: " + Memory.liveBytes() + " B");
        return 0;
    }

    private void requireValidOptions() {
        if (!Files.exists(place)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "there is no " + place.toAbsolutePath()
                            + "; start in the folder of the clone, or name a text: --text=FILE");
        }
        int least = Math.min(Math.min(Math.min(steps, batch), Math.min(layers, heads)), Math.min(width, context - 1));
        if (least <= 0 || characters < 0 || width % heads != 0 || !(lr > 0) || !(temperature > 0)) {
            throw new ParameterException(
                    spec.commandLine(), "numbers must be positive, and --width a multiple of --heads");
        }
    }

    /// The first nine tenths are for training.
    private int trainingEnd() {
        return text.size() / 10 * 9;
    }

    private void train(Gpt gpt) {
        var optimizer = new AdamW(gpt.parameters(), lr);
        int falling = Math.max(1, steps - WARM_UP);
        var scheduler = new Scheduler(optimizer, Schedule.warmUp(WARM_UP, Schedule.cosine(falling, lr / 10)));
        try (var step = CompiledFunction.of((x, y) -> {
            optimizer.zeroGradients();
            Tensor loss = loss(gpt, x, y);
            loss.backward(Release.EAGER);
            CompiledFunction.onEachRun("clip", () -> Gradients.clipNorm(gpt.parameters(), MAX_NORM));
            optimizer.step();
            scheduler.step();
            return loss;
        })) {
            double sum = 0;
            long start = System.nanoTime();
            for (int i = 1; i <= steps; i++) {
                sum += step(step);
                if (i % STEPS_PER_LINE == 0) {
                    double ms = (System.nanoTime() - start) / 1e6 / i;
                    System.out.printf(
                            Locale.ROOT,
                            "step %5d/%d  loss %.4f  %.0f ms a step%n",
                            i,
                            steps,
                            sum / STEPS_PER_LINE,
                            ms);
                    sum = 0;
                }
            }
            System.out.printf(
                    Locale.ROOT, "memory of a step: %,d B%n", step.plan().plannedBytes());
        }
    }

    private double step(CompiledFunction step) {
        try (var arena = TensorArena.ofConfined()) {
            int[] starts = starts(0, trainingEnd());
            return step.run(text.pieces(starts, context), targets(starts)).item();
        }
    }

    /// Each character's successor.
    private Tensor targets(int[] starts) {
        return text.pieces(Arrays.stream(starts).map(start -> start + 1).toArray(), context);
    }

    private int[] starts(int from, int to) {
        int[] starts = new int[batch];
        Arrays.setAll(starts, i -> {
            positions = positions * 6364136223846793005L + 1442695040888963407L;
            return from + (int) ((positions >>> 33) % (to - from - context));
        });
        return starts;
    }

    private static Tensor loss(Gpt gpt, Tensor x, Tensor y) {
        return crossEntropyLoss(gpt.forward(x).flatten(0, 1), y.flatten(0, 1));
    }

    private double validate(Gpt gpt) {
        double sum = 0;
        for (int i = 0; i < VALIDATION_BATCHES; i++) {
            try (var arena = TensorArena.ofConfined();
                    var off = Autograd.noGradient()) {
                int[] starts = starts(trainingEnd(), text.size());
                sum += loss(gpt, text.pieces(starts, context), targets(starts)).item();
            }
        }
        return sum / VALIDATION_BATCHES;
    }

    /// Writes character by character: each is drawn from the scores after the last, and only its own key and value
    /// are computed. A full cache begins again with the second half of the context.
    private void write(Gpt gpt) {
        var written = new StringBuilder("\n");
        try (var memory = TensorArena.ofConfined();
                var off = Autograd.noGradient()) {
            List<KeyValueCache> caches = gpt.caches();
            for (int i = 0; i < characters; i++) {
                boolean full = caches.getFirst().length() == context;
                if (full) {
                    caches.forEach(KeyValueCache::clear);
                }
                String seen = written.substring(Math.max(0, written.length() - (full ? context / 2 : 1)));
                written.append(next(gpt, seen, caches));
            }
        }
        System.out.println("it writes:" + written);
    }

    private char next(Gpt gpt, String seen, List<KeyValueCache> caches) {
        try (var arena = TensorArena.ofConfined()) {
            long[] numbers = seen.chars().mapToLong(c -> text.number((char) c)).toArray();
            Tensor scores = gpt.next(Tensor.of(numbers, 1, numbers.length), caches);
            Tensor last = scores.get(0).get(numbers.length - 1);
            return text.character(
                    last.divide(temperature).softmax(0).multinomial(1, true).toLongArray()[0]);
        }
    }
}
