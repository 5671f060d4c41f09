package org.toydiff.child;

import java.util.List;
import java.util.zip.CRC32;
import org.toydiff.Blas;
import org.toydiff.DType;
import org.toydiff.Linalg;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.internal.kernels.Kernels;

/// Uses the library once, in one of several ways.
public final class Probe {
    private Probe() {}

    /// Prints the results.
    ///
    /// @param arguments `product` to multiply, `inverse` to invert a matrix, `bits` to print a checksum of many
    ///     products, `twice` to multiply twice without a library, `kernels` to compute by the kernels, `leak` to leave
    ///     an arena open
    public static void main(String[] arguments) {
        switch (arguments[0]) {
            case "product" -> multiply();
            case "inverse" -> invert();
            case "bits" -> System.out.println(bits() + " by " + Blas.version());
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

    private static void invert() {
        try (var arena = TensorArena.ofConfined()) {
            Tensor a = Tensor.full(2, 1, 1);
            System.out.println(Linalg.inverse(a).item() + " by " + Blas.library());
        } catch (UnsatisfiedLinkError e) {
            System.out.println(e.getMessage());
        }
    }

    /// Returns a checksum of matrix, vector and dot products of both dtypes, of operands stored by rows and by columns,
    /// some large enough for several threads.
    private static String bits() {
        var crc = new CRC32();
        Tensor.manualSeed(1);
        for (DType dtype : List.of(DType.FLOAT32, DType.FLOAT64)) {
            for (int[] size : new int[][] {{7, 301, 5}, {129, 1001, 65}, {10, 4001, 256}, {512, 700, 500}}) {
                try (var arena = TensorArena.ofConfined()) {
                    List<Tensor> as = byRowsAndByColumns(dtype, size[0], size[1]);
                    List<Tensor> bs = byRowsAndByColumns(dtype, size[1], size[2]);
                    as.forEach(a -> bs.forEach(b -> multiply(a, b, crc)));
                }
            }
        }
        return Long.toHexString(crc.getValue());
    }

    private static List<Tensor> byRowsAndByColumns(DType dtype, int rows, int columns) {
        return List.of(
                Tensor.randn(dtype, rows, columns),
                Tensor.randn(dtype, columns, rows).transpose());
    }

    private static void multiply(Tensor a, Tensor b, CRC32 crc) {
        Tensor row = a.get(0);
        Tensor column = b.transpose().get(0);
        for (Tensor y : List.of(a.matmul(b), a.matmul(column), row.matmul(b), row.matmul(column))) {
            crc.update(y.segment().asByteBuffer());
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
