package org.toydiff.examples;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.toydiff.Blas;
import org.toydiff.Memory;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.DataLoader;
import org.toydiff.data.Dataset;
import org.toydiff.data.IdxDataset;
import org.toydiff.distributed.ProcessGroup;
import org.toydiff.nn.Conv2d;
import org.toydiff.nn.Flatten;
import org.toydiff.nn.Functional;
import org.toydiff.nn.LSTM;
import org.toydiff.nn.Layer;
import org.toydiff.nn.Linear;
import org.toydiff.nn.MaxPool2d;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.RecurrentOptions;
import org.toydiff.nn.Sequential;
import org.toydiff.optim.Adam;
import org.toydiff.optim.LAMB;
import org.toydiff.optim.Optimizer;
import org.toydiff.optim.SGD;
import org.toydiff.optim.Schedule;
import org.toydiff.optim.Scheduler;
import org.toydiff.train.ConsoleProgress;
import org.toydiff.train.Trainer;
import org.toydiff.train.Training;
import org.toydiff.train.metrics.Accuracy;
import org.toydiff.train.metrics.ConfusionMatrix;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Trains 784-512-256-10, a small network of convolutions or a recurrent one that reads images row by row, on
/// Fashion-MNIST: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine
/// learning algorithms", 2017.
@Command(
        name = "fashion",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Trains a classifier of Fashion-MNIST's 70,000 images of clothes.")
public final class FashionMnist implements Callable<Integer> {
    private static final String[] CLASSES = {
        "T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Boot"
    };
    private static final int TEST_BATCH = 1000;

    private enum Net {
        MLP {
            @Override
            Layer make() {
                return new Sequential(
                        new Flatten(),
                        new Linear(784, 512),
                        new ReLU(),
                        new Linear(512, 256),
                        new ReLU(),
                        new Linear(256, 10));
            }
        },
        CNN {
            @Override
            Layer make() {
                return new Sequential(
                        new OneChannel(),
                        new Conv2d(1, 32, 3).padding(1),
                        new ReLU(),
                        new MaxPool2d(2),
                        new Conv2d(32, 64, 3).padding(1),
                        new ReLU(),
                        new MaxPool2d(2),
                        new Flatten(),
                        new Linear(64 * 7 * 7, 128),
                        new ReLU(),
                        new Linear(128, 10));
            }
        },
        LSTM {
            @Override
            Layer make() {
                return new RowByRow();
            }
        };

        abstract Layer make();
    }

    /// `[n, 28, 28] → [n, 1, 28, 28]`
    private static final class OneChannel extends Layer {
        @Override
        protected Tensor compute(Tensor x) {
            return x.unsqueeze(1);
        }
    }

    /// Reads an image as a sequence of 28 rows; the state after the last one says the class.
    private static final class RowByRow extends Layer {
        private static final long UNITS = 128;

        private final LSTM rows = child("rows", new LSTM(28, UNITS, RecurrentOptions.DEFAULT.withBatchFirst(true)));
        private final Linear classes = child("classes", new Linear(UNITS, 10));

        @Override
        protected Tensor compute(Tensor x) {
            return classes.forward(rows.run(x, null, null, null).hidden().get(0));
        }
    }

    private enum Choice {
        ADAM(1e-3),
        LAMB(0.1),
        SGD(0.1);

        private final double lr;

        Choice(double lr) {
            this.lr = lr;
        }

        Optimizer make(List<Tensor> parameters, double lr) {
            return switch (this) {
                case ADAM -> new Adam(parameters, lr);
                case LAMB -> new LAMB(parameters, lr);
                case SGD -> new SGD(parameters, lr, 0.9);
            };
        }
    }

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            defaultValue = "/usr/share/datasets/fashion-mnist",
            description = "The folder of the four IDX files, gzipped or not (default: ${DEFAULT-VALUE}).")
    private Path data;

    @Option(
            names = "--net",
            paramLabel = "NAME",
            defaultValue = "mlp",
            description = "mlp, cnn or lstm (default: ${DEFAULT-VALUE}).")
    private Net net;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "128",
            description = "Examples per step (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = "--micro-batch",
            paramLabel = "N",
            defaultValue = "0",
            description = "Examples per micro-batch, whose gradients are accumulated; 0 for the whole batch.")
    private long microBatch;

    @Option(
            names = "--processes",
            paramLabel = "N",
            defaultValue = "0",
            description = "Trains in so many processes, which Open MPI's mpirun starts; 0 for this one.")
    private int processes;

    @Option(
            names = "--shards",
            paramLabel = "N",
            defaultValue = "0",
            description =
                    "The parts of a batch that processes share (default: one for each process). For processes that"
                            + " mpirun or srun has started it must be set; the results have the same bits for any number of these.")
    private int shards;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            defaultValue = "5",
            description = "Passes over the training images (default: ${DEFAULT-VALUE}).")
    private int epochs;

    @Option(
            names = "--optimizer",
            paramLabel = "NAME",
            defaultValue = "adam",
            description = "adam, lamb or sgd (default: ${DEFAULT-VALUE}).")
    private Choice optimizer;

    @Option(
            names = "--lr",
            paramLabel = "RATE",
            defaultValue = "0",
            description = "The learning rate (default: 0.001 for adam, 0.1 for lamb and sgd).")
    private double lr;

    @Option(
            names = "--warm-up",
            paramLabel = "STEPS",
            defaultValue = "0",
            description = "Steps over which the rate rises, before it falls along a cosine; 0 for a constant rate.")
    private long warmUp;

    @Option(
            names = "--checkpoints",
            paramLabel = "DIR",
            defaultValue = "target/fashion-mnist",
            description = "Saves a checkpoint there after each epoch (default: ${DEFAULT-VALUE}).")
    private Path checkpoints;

    @Option(names = "--resume", description = "Continues from the latest checkpoint, if there is one.")
    private boolean resume;

    @Option(
            names = "--report",
            paramLabel = "FILE",
            defaultValue = "target/fashion-mnist.html",
            description = "Writes a report with charts there (default: ${DEFAULT-VALUE}).")
    private Path report;

    private FashionMnist() {}

    /// Trains and evaluates the classifier.
    ///
    /// @param arguments see `--help`
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new FashionMnist())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler((e, line, parsed) -> {
                    System.err.println("fashion: " + e.getMessage());
                    if (e instanceof FileAlreadyExistsException) {
                        System.err.println("--resume continues an earlier run; --checkpoints=DIR leaves it alone");
                    }
                    return 1;
                })
                .execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        requireValidOptions();
        if (processes > 0) {
            return Ranks.start(processes, spec.commandLine().getParseResult().originalArgs(), shards);
        }
        if (shards == 0) {
            return run(null);
        }
        try (var group = ProcessGroup.mpi()) {
            return run(group);
        }
    }

    /// Trains and evaluates, in a group of processes or, for null, alone.
    private int run(ProcessGroup group) throws IOException {
        PrintStream out =
                group == null || group.rank() == 0 ? System.out : new PrintStream(OutputStream.nullOutputStream());
        // The first line, before loading the library and reading the images takes a second or two.
        out.println("Fashion-MNIST from " + data);
        out.println(Blas.version());
        if (group != null) {
            out.println(group.size() + " processes, " + shards + " shards, " + group.library());
        }
        Tensor.manualSeed(0);
        try (var memory = TensorArena.ofShared()) {
            train(open("train"), open("t10k"), group, out);
        }
        out.println("live after closing: " + Memory.liveBytes() + " B");
        return 0;
    }

    private void requireValidOptions() {
        if (batch <= 0 || epochs <= 0 || lr < 0 || warmUp < 0 || microBatch < 0 || processes < 0 || shards < 0) {
            throw new ParameterException(
                    spec.commandLine(), "--batch and --epochs must be positive, the other numbers not negative");
        }
    }

    private Dataset open(String part) throws IOException {
        return IdxDataset.open(file(part + "-images-idx3-ubyte"), file(part + "-labels-idx1-ubyte"));
    }

    private Path file(String name) {
        for (String ending : List.of("", ".gz")) {
            Path file = data.resolve(name + ending);
            if (Files.isReadable(file)) {
                return file;
            }
        }
        throw new ParameterException(
                spec.commandLine(),
                data + " has no " + name + "[.gz]; install Debian's dataset-fashion-mnist, or name a folder with the"
                        + " four files of https://github.com/zalandoresearch/fashion-mnist: --data=DIR");
    }

    private void train(Dataset training, Dataset test, ProcessGroup group, PrintStream out) throws IOException {
        Layer layers = net.make();
        out.print(layers.summary(batch, 28, 28));
        Optimizer steps = optimizer.make(layers.parameters(), lr > 0 ? lr : optimizer.lr);
        try (var loader = DataLoader.of(training, batch).shuffle(0).prefetch(2);
                var testLoader = DataLoader.of(test, TEST_BATCH)) {
            Trainer trainer = Trainer.of(layers, steps, Functional::crossEntropyLoss)
                    .epochs(epochs)
                    .metrics(new Accuracy(), new ConfusionMatrix(CLASSES.length))
                    .classNames(CLASSES)
                    .checkpoints(checkpoints)
                    .report(report)
                    .title("Fashion-MNIST")
                    .fact("Data", "Fashion-MNIST, 60,000 and 10,000 images of 28 × 28")
                    .compiled(Boolean.getBoolean("compiled"))
                    .callbacks(ConsoleProgress.standard());
            configure(trainer, steps, loader);
            if (group != null) {
                trainer.processes(group, shards);
            }
            Memory.resetPeak();
            report(trainer.fit(loader, testLoader), out);
        }
    }

    private void configure(Trainer trainer, Optimizer steps, DataLoader loader) {
        if (warmUp > 0) {
            long all = loader.batches() * epochs;
            Schedule falling = Schedule.cosine(Math.max(1, all - warmUp), 0);
            trainer.everyStep(new Scheduler(steps, Schedule.warmUp(warmUp, falling)));
        }
        if (microBatch > 0) {
            trainer.microBatch(microBatch);
        }
        if (resume) {
            trainer.resume();
        }
    }

    private void report(Training training, PrintStream out) {
        double[] accuracies = training.history().epochValues("validation_accuracy");
        if (accuracies.length > 0) {
            out.printf(Locale.ROOT, "test accuracy: %.4f%n", accuracies[accuracies.length - 1]);
        }
        out.printf(
                Locale.ROOT,
                "peak of a step: %,d B (predicted %,d B); of the process: %,d B%n",
                training.measuredStepBytes(),
                training.predictedStepBytes(),
                Memory.peakBytes());
        out.println("report: " + report);
    }
}
