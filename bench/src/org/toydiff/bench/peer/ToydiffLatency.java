package org.toydiff.bench.peer;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import org.toydiff.Autograd;
import org.toydiff.Blas;
import org.toydiff.CompiledFunction;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Sequential;

/// The latency of single inferences of 784-512-256-10 at a constant rate, as it stands or compiled.
///
/// A request copies an image into the input, classifies it and reads the class. Requests of arithmetic alone take about
/// as long, in registers: their latencies are those that the machine and its scheduler leave to any program.
public final class ToydiffLatency implements AutoCloseable {
    private static final int IMAGES = 64;

    /// Multiply-adds of a request of arithmetic, each of which needs the result of the one before: some 75 µs.
    private static final int MULTIPLY_ADDS = 50_000;

    private static final int INPUTS = StartingNumbers.STEP_WIDTHS[0];

    private final TensorArena arena = TensorArena.ofConfined();
    private final Sequential net = ToydiffTraining.net(ReLU::new, StartingNumbers.STEP_WIDTHS);
    private final MemorySegment images = TimedFunction.inputs(IMAGES, INPUTS).segment();
    private final Tensor x = Tensor.empty(1, INPUTS);
    private final MemorySegment input = x.segment();
    private final CompiledFunction compiled = CompiledFunction.of(this::classify);

    private ToydiffLatency() {}

    /// Sends requests and measures them.
    ///
    /// @param words `compiled`, `eager` or `arithmetic`, the requests per second, the seconds of warm-up and those
    ///     measured
    /// @return the answer to the request, as [OpenLoop#run]
    public static Map<String, ?> run(String... words) {
        Blas.setThreads(1);
        try (var latency = new ToydiffLatency()) {
            OpenLoop.Request request =
                    switch (words[0]) {
                        case "compiled" -> latency::compiled;
                        case "eager" -> latency::eager;
                        case "arithmetic" -> ToydiffLatency::arithmetic;
                        default -> throw new IllegalArgumentException("latency: there is no form " + words[0]);
                    };
            return new OpenLoop(Integer.parseInt(words[1]), request)
                    .run(Integer.parseInt(words[2]), Integer.parseInt(words[3]));
        }
    }

    private Tensor classify(Tensor x) {
        try (var off = Autograd.noGradient()) {
            return net.forward(x).argmax(1);
        }
    }

    private double eager(int i) {
        try (var request = TensorArena.ofConfined()) {
            copy(i);
            return classify(x).item();
        }
    }

    private double compiled(int i) {
        copy(i);
        return compiled.run(x).item();
    }

    private static double arithmetic(int i) {
        double x = i;
        for (int k = 0; k < MULTIPLY_ADDS; k++) {
            x = Math.fma(x, 0.75, 1);
        }
        return x;
    }

    private void copy(int i) {
        long bytes = input.byteSize();
        MemorySegment.copy(images, i % IMAGES * bytes, input, 0, bytes);
    }

    @Override
    public void close() {
        arena.close();
    }
}
