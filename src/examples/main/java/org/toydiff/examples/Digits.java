package org.toydiff.examples;

import static org.toydiff.nn.Functional.crossEntropyLoss;

import com.sun.management.ThreadMXBean;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.random.RandomGenerator;
import java.util.zip.GZIPInputStream;
import org.toydiff.Autograd;
import org.toydiff.Blas;
import org.toydiff.CompiledFunction;
import org.toydiff.DType;
import org.toydiff.Memory;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.io.SafeTensors;
import org.toydiff.nn.Linear;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.Adam;

/// Trains a classifier of handwritten digits, 64-64-10 with ReLU, and prints the memory that it took.
public final class Digits {
    /// The pixels of an image, 8 × 8.
    static final int PIXELS = 64;

    /// The largest value of a pixel.
    static final int WHITE = 16;

    private static final int TRAINING_ROWS = 1437;
    private static final int BATCH = 64;
    private static final int EPOCHS = 30;
    private static final double LEARNING_RATE = 3e-3;
    private static final long SEED = 0;

    /// `-Dcompiled=true` records the step once and replays it.
    private static final boolean COMPILED = Boolean.getBoolean("compiled");

    private final Tensor x;
    private final Tensor labels;
    private final Sequential net = net();
    private final Adam optimizer = new Adam(net.parameters(), LEARNING_RATE);
    private final CompiledFunction compiled = CompiledFunction.of(this::learn);
    private final int rows;
    private int steps;

    private Digits(Tensor x, Tensor labels) {
        this.x = x;
        this.labels = labels;
        this.rows = (int) x.shape()[0];
    }

    /// Makes the classifier, with random parameters.
    static Sequential net() {
        return new Sequential(new Linear(PIXELS, 64), new ReLU(), new Linear(64, 10));
    }

    /// Trains the classifier and prints its accuracy.
    ///
    /// @param arguments the file to save the classifier to, or nothing
    /// @throws IOException if the data cannot be read, or the file cannot be written
    public static void main(String[] arguments) throws IOException {
        System.out.println(Blas.version() + ", core " + Blas.core());
        Tensor.manualSeed(SEED);
        try (var model = TensorArena.ofShared()) {
            Digits digits = load();
            var cost = new Cost();
            try (var compiled = digits.compiled) {
                for (int epoch = 1; epoch <= EPOCHS; epoch++) {
                    digits.epoch(epoch);
                }
            }
            cost.report(digits);
            if (arguments.length > 0) {
                SafeTensors.save(Path.of(arguments[0]), digits.net.stateDict());
                System.out.println("model: " + arguments[0]);
            }
        }
        System.out.println("live after closing: " + Memory.liveBytes() + " B");
    }

    private static Digits load() throws IOException {
        List<String> lines = new ArrayList<>();
        var resource = Digits.class.getResourceAsStream("digits.csv.gz");
        try (var reader =
                new BufferedReader(new InputStreamReader(new GZIPInputStream(resource), StandardCharsets.US_ASCII))) {
            reader.lines().forEach(lines::add);
        }
        float[] pixels = new float[lines.size() * PIXELS];
        int[] labels = new int[lines.size()];
        for (int row = 0; row < labels.length; row++) {
            String[] cells = lines.get(row).split(",");
            for (int i = 0; i < PIXELS; i++) {
                pixels[row * PIXELS + i] = Float.parseFloat(cells[i]) / WHITE;
            }
            labels[row] = Integer.parseInt(cells[PIXELS]);
        }
        shuffle(pixels, labels);
        return new Digits(Tensor.of(pixels, labels.length, PIXELS), Tensor.of(labels));
    }

    /// Shuffles once, so that every batch is a slice: a view instead of a copy.
    private static void shuffle(float[] pixels, int[] labels) {
        RandomGenerator random = new Random(SEED);
        float[] row = new float[PIXELS];
        for (int i = labels.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int label = labels[i];
            labels[i] = labels[j];
            labels[j] = label;
            System.arraycopy(pixels, i * PIXELS, row, 0, PIXELS);
            System.arraycopy(pixels, j * PIXELS, pixels, i * PIXELS, PIXELS);
            System.arraycopy(row, 0, pixels, j * PIXELS, PIXELS);
        }
    }

    private void epoch(int epoch) {
        long start = System.nanoTime();
        double loss = 0;
        for (int from = 0; from < TRAINING_ROWS; from += BATCH) {
            int to = Math.min(from + BATCH, TRAINING_ROWS);
            loss += step(from, to) * (to - from) / TRAINING_ROWS;
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf(
                Locale.ROOT,
                "epoch %2d/%d  loss %.4f  test accuracy %.4f  %,9.0f examples/s%n",
                epoch,
                EPOCHS,
                loss,
                accuracy(),
                TRAINING_ROWS / seconds);
    }

    private double step(int from, int to) {
        try (var step = TensorArena.ofConfined()) {
            Tensor input = x.slice(0, from, to);
            Tensor target = labels.slice(0, from, to);
            steps++;
            return (COMPILED ? compiled.run(input, target) : learn(input, target)).item();
        }
    }

    private Tensor learn(Tensor input, Tensor target) {
        Tensor loss = crossEntropyLoss(net.forward(input), target);
        loss.backward(Release.EAGER);
        optimizer.step();
        optimizer.zeroGradients();
        return loss;
    }

    private double accuracy() {
        try (var scratch = TensorArena.ofConfined();
                var inference = Autograd.noGradient()) {
            Tensor predicted = net.forward(x.slice(0, TRAINING_ROWS, rows)).argmax(1);
            Tensor right =
                    predicted.equalTo(labels.slice(0, TRAINING_ROWS, rows).cast(DType.INT64));
            return right.cast(DType.FLOAT32).mean().item();
        }
    }

    /// The memory and garbage collections of the training since its creation.
    private static final class Cost {
        private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        private final long heap = threads.getCurrentThreadAllocatedBytes();
        private final long collections = collections();

        Cost() {
            Memory.resetPeak();
        }

        void report(Digits digits) {
            long perStep = (threads.getCurrentThreadAllocatedBytes() - heap) / digits.steps;
            System.out.printf(Locale.ROOT, "test accuracy: %.4f%n", digits.accuracy());
            System.out.printf(
                    Locale.ROOT,
                    "off-heap: peak %,d B, live %,d B (data, parameters, gradients, moments)%n",
                    Memory.peakBytes(),
                    Memory.liveBytes());
            System.out.printf(Locale.ROOT, "heap: %,d B allocated per step%n", perStep);
            System.out.println("garbage collections during training: " + (collections() - collections));
        }

        private static long collections() {
            return ManagementFactory.getGarbageCollectorMXBeans().stream()
                    .mapToLong(GarbageCollectorMXBean::getCollectionCount)
                    .sum();
        }
    }
}
