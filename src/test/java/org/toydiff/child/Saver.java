package org.toydiff.child;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.toydiff.DType;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.io.CheckpointFile;

/// Resumes from a checkpoint and saves the steps after it until it is killed. Every byte of the tensor in a checkpoint
/// is the lowest byte of its step.
public final class Saver {
    /// The number of elements in a checkpoint.
    public static final int SIZE = 1 << 21;

    private Saver() {}

    /// A state of one tensor.
    public record Numbers(Tensor tensor) implements Stateful {
        @Override
        public Map<String, Tensor> stateDict() {
            return Map.of("tensor", tensor);
        }

        @Override
        public void loadStateDict(Map<String, Tensor> state) {
            tensor.copyFrom(state.get("tensor"));
        }
    }

    /// Prints each step once it is saved.
    ///
    /// @param arguments the checkpoint's file
    public static void main(String[] arguments) throws IOException {
        Path file = Path.of(arguments[0]);
        try (var arena = TensorArena.ofConfined()) {
            var numbers = new Numbers(Tensor.empty(DType.INT32, SIZE));
            long step = Files.exists(file)
                    ? CheckpointFile.load(file, Map.of("numbers", numbers)).step()
                    : 0;
            while (true) {
                step++;
                numbers.tensor.segment().fill((byte) step);
                CheckpointFile.save(file, Map.of("numbers", numbers), new CheckpointFile.Progress(0, step));
                System.out.println(step);
            }
        }
    }
}
