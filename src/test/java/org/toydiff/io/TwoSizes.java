package org.toydiff.io;

import java.io.IOException;
import java.nio.file.Path;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// What a test runs in a child JVM that may write small files alone: saves a small tensor and a large one.
final class TwoSizes {
    private TwoSizes() {}

    public static void main(String[] arguments) throws IOException {
        Path file = Path.of(arguments[0]);
        try (var arena = TensorArena.ofConfined()) {
            Npy.save(file, Tensor.ones(100));
            Npy.save(file, Tensor.ones(10_000_000));
        } catch (IOException e) {
            System.out.println(e.getMessage());
        }
    }
}
