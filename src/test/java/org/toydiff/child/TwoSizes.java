package org.toydiff.child;

import java.io.IOException;
import java.nio.file.Path;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.io.Npy;

/// Saves a small tensor and a large one, in a JVM that is allowed to write only small files.
public final class TwoSizes {
    private TwoSizes() {}

    /// Prints why a save failed.
    ///
    /// @param arguments the file
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
