package org.toydiff.child;

import java.util.concurrent.Callable;
import org.toydiff.Autograd;
import org.toydiff.Blas;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// An application of one class loader, as a server deploys it: a model in an arena of its own, whose products run on
/// the server's threads.
public final class Deployed implements Callable<String>, AutoCloseable {
    private final TensorArena model = TensorArena.ofDetached();
    private final Tensor weights = Tensor.ones(model, DType.FLOAT32, 512, 512);

    /// By reflection.
    public Deployed() {
        Blas.setThreads(2);
    }

    @Override
    public String call() {
        try (var inside = model.enter();
                var request = TensorArena.ofConfined();
                var inference = Autograd.noGradient()) {
            return weights.matmul(weights).mean().item() + " by " + Blas.library();
        }
    }

    @Override
    public void close() {
        model.close();
    }
}
