package org.toydiff;

import java.util.List;
import org.toydiff.internal.kernels.Kernels;

/// What the tests run in a child JVM.
final class Probe {
    private Probe() {}

    public static void main(String[] arguments) {
        if (List.of(arguments).contains("twice")) {
            for (int i = 0; i < 2; i++) {
                multiplyWithoutLibrary();
            }
            return;
        }
        if (List.of(arguments).contains("kernels")) {
            try (var arena = TensorArena.ofConfined()) {
                double one = Tensor.zeros(100_000).exp().mean().item();
                boolean asked = System.getProperty("toydiff.threads") != null;
                System.out.println(Kernels.active() + " " + one + (asked ? " " + Blas.threads() + " threads" : ""));
            }
            return;
        }
        if (arguments.length > 0) {
            TensorArena.ofShared();
            Tensor.ones(100);
            return;
        }
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
}
