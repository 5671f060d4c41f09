package org.toydiff.child;

import org.toydiff.Blas;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.internal.kernels.Kernels;

/// Uses the library once, in one of several ways.
public final class Probe {
    private Probe() {}

    /// Prints the results.
    ///
    /// @param arguments `product` to multiply, `twice` to multiply twice without a library, `kernels` to compute by the
    ///     kernels, `leak` to leave an arena open
    public static void main(String[] arguments) {
        switch (arguments[0]) {
            case "product" -> multiply();
            case "twice" -> {
                multiplyWithoutLibrary();
                multiplyWithoutLibrary();
            }
            case "kernels" -> compute();
            case "leak" -> {
                TensorArena.ofShared();
                Tensor.ones(100);
            }
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static void multiply() {
        try (var arena = TensorArena.ofConfined()) {
            double product = Tensor.ones(8, 8).matmul(Tensor.ones(8, 8)).sum().item();
            System.out.println(product + " by " + Blas.library());
        }
    }

    private static void multiplyWithoutLibrary() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor.ones(2, 2).matmul(Tensor.ones(2, 2));
        } catch (UnsatisfiedLinkError e) {
            System.out.println(e.getMessage().lines().findFirst().orElseThrow());
        }
    }

    private static void compute() {
        try (var arena = TensorArena.ofConfined()) {
            double one = Tensor.zeros(100_000).exp().mean().item();
            boolean asked = System.getProperty("toydiff.threads") != null;
            System.out.println(Kernels.active() + " " + one + (asked ? " " + Blas.threads() + " threads" : ""));
        }
    }
}
