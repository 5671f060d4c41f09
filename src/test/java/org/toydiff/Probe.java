package org.toydiff;

/// What the tests run in a child JVM.
final class Probe {
    private Probe() {}

    public static void main(String[] arguments) {
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
}
