package org.toydiff.data;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// A batch of images as planes of height × width, its last two axes.
final class ImagePlanes {
    final Tensor tensor;
    final long height;
    final long width;

    /// The number of planes of each example.
    final long perExample;

    private final MemorySegment segment;

    private ImagePlanes(Tensor tensor) {
        long[] shape = tensor.shape();
        this.tensor = tensor;
        this.height = shape[shape.length - 2];
        this.width = shape[shape.length - 1];
        this.perExample = Arrays.stream(shape, 1, shape.length - 2).reduce(1, (a, b) -> a * b);
        this.segment = tensor.reshape(tensor.size()).segment();
    }

    /// Returns the planes of inputs FLOAT32 `[n, …, height, width]`.
    static ImagePlanes of(String op, Tensor x) {
        if (x.dtype() != DType.FLOAT32 || x.rank() < 3) {
            throw new IllegalArgumentException(op + ": the inputs must be FLOAT32 [n, …, height, width], not "
                    + Arrays.toString(x.shape()) + " " + x.dtype());
        }
        return new ImagePlanes(x);
    }

    /// Returns new planes of another size, uninitialized.
    ImagePlanes resized(long height, long width) {
        long[] shape = tensor.shape();
        shape[shape.length - 2] = height;
        shape[shape.length - 1] = width;
        return new ImagePlanes(Tensor.empty(shape));
    }

    private long at(long plane, long row, long column) {
        return (plane * height + row) * width + column;
    }

    /// Copies `count` elements of a row.
    void copy(ImagePlanes from, long plane, long fromRow, long fromColumn, long row, long column, long count) {
        MemorySegment.copy(
                from.segment,
                from.at(plane, fromRow, fromColumn) * Float.BYTES,
                segment,
                at(plane, row, column) * Float.BYTES,
                count * Float.BYTES);
    }

    /// Copies a plane of the same size, each row reversed.
    void flip(ImagePlanes from, long plane) {
        for (long row = 0; row < height; row++) {
            long first = at(plane, row, 0);
            for (long i = 0; i < width; i++) {
                float value = from.segment.getAtIndex(JAVA_FLOAT, first + i);
                segment.setAtIndex(JAVA_FLOAT, first + width - 1 - i, value);
            }
        }
    }

    /// Copies a plane of the same size.
    void copy(ImagePlanes from, long plane) {
        copy(from, plane, 0, 0, 0, 0, height * width);
    }

    void clear(long plane) {
        segment.asSlice(at(plane, 0, 0) * Float.BYTES, height * width * Float.BYTES)
                .fill((byte) 0);
    }
}
