package org.toydiff.child;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.toydiff.Memory;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.Batch;
import org.toydiff.data.DataLoader;
import org.toydiff.data.Dataset;
import org.toydiff.data.TensorDataset;
import org.toydiff.io.Npy;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Linear;
import org.toydiff.optim.Adam;
import org.toydiff.train.Callback;
import org.toydiff.train.Trainer;
import org.toydiff.train.Training;

/// Makes tensors through each package, of different sizes, and prints the lines that made them.
public final class Traced {
    private Traced() {}

    /// Prints reports of the memory.
    ///
    /// @param arguments the file of a tensor
    public static void main(String[] arguments) throws IOException {
        try (var arena = TensorArena.ofShared()) {
            file(arena, Path.of(arguments[0]));
            layer();
            Dataset set = dataset();
            batch(set);
            loader(set);
            optimizer();
            stream();
            System.out.print(Memory.report());
            train(set);
        }
    }

    private static Tensor file(TensorArena arena, Path file) throws IOException {
        Npy.save(file, Tensor.zeros(100));
        return Npy.load(arena, file);
    }

    private static Linear layer() {
        return new Linear(20, 30);
    }

    private static Dataset dataset() {
        return new TensorDataset(Tensor.zeros(8, 50), Tensor.zeros(8, 60));
    }

    private static Batch batch(Dataset set) {
        return set.batch(1, 2);
    }

    private static Batch loader(Dataset set) {
        return DataLoader.of(set, 4).iterator().next();
    }

    private static void optimizer() {
        Tensor w = Tensor.ones(700).trackGradient();
        w.sum().backward(Release.EAGER);
        new Adam(List.of(w), 0.1).step();
    }

    private static List<Tensor> stream() {
        return Stream.of(900L).map(Tensor::ones).toList();
    }

    private static void train(Dataset set) throws IOException {
        var net = new Linear(50, 60);
        Trainer.of(net, new Adam(net.parameters(), 0.1), Functional::mseLoss)
                .callbacks(new Callback() {
                    @Override
                    public void onStepEnd(Training training) {
                        System.out.print(Memory.report());
                    }
                })
                .fit(DataLoader.of(set, 4).prefetch(1));
    }
}
