package org.toydiff.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.toydiff.bench.peer.DjlTraining;
import org.toydiff.bench.peer.StartingNumbers;
import org.toydiff.bench.peer.ToydiffTraining;

/// One training step of 784-512-256-10 with ReLU and cross entropy, in toydiff and in DJL on PyTorch.
///
/// With `-prof gc`, `gc.alloc.rate.norm` is the heap allocation of a step in bytes.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class StepBenchmark {
    /// The optimizer and the size of the batch.
    @State(Scope.Thread)
    public static class Task {
        /// The optimizer.
        @Param({"sgd", "adam"})
        public String optimizer;

        /// Rows of the batch.
        @Param({"32", "128", "1024", "8192"})
        public int batch;

        /// Creates the task; JMH sets its parameters.
        public Task() {}
    }

    /// Training with toydiff, restarted for each iteration, so that none runs on a net that has converged.
    @State(Scope.Thread)
    public static class Toydiff {
        private ToydiffTraining training;

        /// Creates an empty state.
        public Toydiff() {}

        /// Creates the net and the batch.
        ///
        /// @param task the optimizer and the size of the batch
        @Setup(Level.Iteration)
        public void open(Task task) {
            training = new ToydiffTraining(task.optimizer, StartingNumbers.STEP_WIDTHS);
            training.use(task.batch);
        }

        /// Frees the net and the batch.
        @TearDown(Level.Iteration)
        public void close() {
            training.close();
        }
    }

    /// Training with DJL, restarted for each iteration.
    @State(Scope.Thread)
    public static class Djl {
        private DjlTraining training;

        /// Creates an empty state.
        public Djl() {}

        /// Creates the net and the batch.
        ///
        /// @param task the optimizer and the size of the batch
        @Setup(Level.Iteration)
        public void open(Task task) {
            training = new DjlTraining(task.optimizer, StartingNumbers.STEP_WIDTHS);
            training.use(task.batch);
        }

        /// Frees the net and the batch.
        @TearDown(Level.Iteration)
        public void close() {
            training.close();
        }
    }

    /// Runs a step in toydiff.
    ///
    /// @param state the training
    /// @return the loss
    @Benchmark
    public double toydiff(Toydiff state) {
        return state.training.step();
    }

    /// Runs a step in DJL.
    ///
    /// @param state the training
    /// @return the loss
    @Benchmark
    public double djl(Djl state) {
        return state.training.step();
    }
}
