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

/// One training step of 784-512-256-10 with ReLU and cross entropy, beside DJL on PyTorch.
///
/// With `-prof gc`, `gc.alloc.rate.norm` is the heap bytes of a step.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class StepBenchmark {
    /// What is trained on.
    @State(Scope.Thread)
    public static class Task {
        /// The optimizer.
        @Param({"sgd", "adam"})
        public String optimizer;

        /// Rows of the batch.
        @Param({"32", "128", "1024", "8192"})
        public int batch;

        /// With defaults.
        public Task() {}
    }

    /// Training with toydiff. Begun anew for each iteration, so that none runs on a net that has learnt all.
    @State(Scope.Thread)
    public static class Toydiff {
        private ToydiffTraining training;

        /// With nothing yet.
        public Toydiff() {}

        /// Makes the net and the batch.
        ///
        /// @param task what is trained on
        @Setup(Level.Iteration)
        public void open(Task task) {
            training = new ToydiffTraining(task.optimizer, StartingNumbers.STEP_WIDTHS);
            training.use(task.batch);
        }

        /// Frees them.
        @TearDown(Level.Iteration)
        public void close() {
            training.close();
        }
    }

    /// Training with DJL.
    @State(Scope.Thread)
    public static class Djl {
        private DjlTraining training;

        /// With nothing yet.
        public Djl() {}

        /// Makes the net and the batch.
        ///
        /// @param task what is trained on
        @Setup(Level.Iteration)
        public void open(Task task) {
            training = new DjlTraining(task.optimizer, StartingNumbers.STEP_WIDTHS);
            training.use(task.batch);
        }

        /// Frees them.
        @TearDown(Level.Iteration)
        public void close() {
            training.close();
        }
    }

    /// By toydiff.
    ///
    /// @param state the training
    /// @return the loss
    @Benchmark
    public double toydiff(Toydiff state) {
        return state.training.step();
    }

    /// By DJL.
    ///
    /// @param state the training
    /// @return the loss
    @Benchmark
    public double djl(Djl state) {
        return state.training.step();
    }
}
