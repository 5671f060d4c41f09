package org.toydiff.child;

import java.util.concurrent.Callable;
import org.toydiff.Autograd;
import org.toydiff.Blas;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Computes a product on worker threads, and its gradient, by the library of one class loader.
public final class Multiplied implements Callable<String> {
    /// By reflection.
    public Multiplied() {}

    @Override
    public String call() {
        Blas.setThreads(2);
        try (var arena = TensorArena.ofConfined();
                var inner = TensorArena.ofShared()) {
            Tensor x = Tensor.ones(512, 512).trackGradient();
            Tensor y = x.matmul(x);
            y.sum().backward(Release.EAGER);
            try (var off = Autograd.noGradient()) {
                return x.gradient().mean().item() + " by " + Blas.library();
            }
        }
    }
}
