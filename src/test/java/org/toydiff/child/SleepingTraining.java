package org.toydiff.child;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.DataLoader;
import org.toydiff.data.TensorDataset;
import org.toydiff.nn.Functional;
import org.toydiff.nn.Linear;
import org.toydiff.optim.SGD;
import org.toydiff.train.Callback;
import org.toydiff.train.Trainer;
import org.toydiff.train.Training;

/// Trains with checkpoints, prints a line at the first step, and stays there until it is killed.
public final class SleepingTraining {
    private SleepingTraining() {}

    /// Trains.
    ///
    /// @param arguments the folder of the checkpoints
    public static void main(String[] arguments) throws IOException {
        try (var arena = TensorArena.ofShared()) {
            var net = new Linear(2, 2);
            Trainer.of(net, new SGD(net.parameters(), 0.1), Functional::crossEntropyLoss)
                    .checkpoints(Path.of(arguments[0]))
                    .callbacks(new Callback() {
                        @Override
                        public void onStepEnd(Training training) {
                            System.out.println("under way");
                            sleep();
                        }
                    })
                    .fit(DataLoader.of(new TensorDataset(Tensor.ones(8, 2), Tensor.of(new int[8])), 2));
        }
    }

    private static void sleep() {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
