package org.toydiff.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// The files written by `src/test/python/files.py`, and the numbers in them.
final class FilesOfPython {
    private FilesOfPython() {}

    static Path file(String name) {
        try {
            return Path.of(FilesOfPython.class.getResource(name).toURI());
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    static byte[] bytes(String name) {
        try {
            return Files.readAllBytes(file(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// 0, 1, 2, … in row-major order; for floats (i − 3) / 4; for BOOL whether i is odd.
    static Tensor ramp(DType dtype, long... shape) {
        Tensor numbers =
                Tensor.arange(DType.FLOAT64, 0, Tensor.empty(shape).size(), 1).reshape(shape);
        return switch (dtype) {
            case FLOAT32, FLOAT64, BFLOAT16 -> numbers.subtract(3).divide(4).cast(dtype);
            case INT32, INT64 -> numbers.cast(dtype);
            case BOOL -> numbers.multiply(Math.PI / 2).sin().abs().greater(Tensor.full(DType.FLOAT64, 0.5));
        };
    }

    static void assertSame(Tensor expected, Tensor actual) {
        assertEquals(expected.dtype(), actual.dtype());
        assertArrayEquals(expected.shape(), actual.shape());
        if (expected.dtype().isFloating()) {
            assertArrayEquals(expected.toDoubleArray(), actual.toDoubleArray());
        } else {
            assertArrayEquals(expected.toLongArray(), actual.toLongArray());
        }
    }
}
