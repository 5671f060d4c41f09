package org.toydiff;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.random.Xoshiro256;

/// How tensors begin. Each factory makes a tensor in the innermost arena; with a leading [DType] of that
/// dtype, and with a leading Arena in any arena of the caller's.
abstract sealed class TensorCreation permits ElementOps {

    /// Zeros, FLOAT32.
    ///
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the innermost arena
    public static Tensor zeros(long... shape) {
        return zeros(DType.FLOAT32, shape);
    }

    /// Zeros.
    ///
    /// @param dtype its dtype
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the innermost arena
    public static Tensor zeros(DType dtype, long... shape) {
        return zeros(null, dtype, shape);
    }

    /// Zeros.
    ///
    /// @param arena where it lives, or null for the innermost arena
    /// @param dtype its dtype
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the arena
    public static Tensor zeros(Arena arena, DType dtype, long... shape) {
        return filled("zeros", arena, dtype, 0, shape);
    }

    /// Ones, FLOAT32.
    ///
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the innermost arena
    public static Tensor ones(long... shape) {
        return ones(DType.FLOAT32, shape);
    }

    /// Ones.
    ///
    /// @param dtype its dtype
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the innermost arena
    public static Tensor ones(DType dtype, long... shape) {
        return ones(null, dtype, shape);
    }

    /// Ones.
    ///
    /// @param arena where it lives, or null for the innermost arena
    /// @param dtype its dtype
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the arena
    public static Tensor ones(Arena arena, DType dtype, long... shape) {
        return filled("ones", arena, dtype, 1, shape);
    }

    /// Whatever the memory holds, for what is overwritten next, FLOAT32.
    ///
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the innermost arena
    public static Tensor empty(long... shape) {
        return empty(DType.FLOAT32, shape);
    }

    /// Whatever the memory holds, for what is overwritten next.
    ///
    /// @param dtype its dtype
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the innermost arena
    public static Tensor empty(DType dtype, long... shape) {
        return empty(null, dtype, shape);
    }

    /// Whatever the memory holds, for what is overwritten next.
    ///
    /// @param arena where it lives, or null for the innermost arena
    /// @param dtype its dtype
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the arena
    public static Tensor empty(Arena arena, DType dtype, long... shape) {
        return place("empty", arena, dtype, shape);
    }

    /// One value everywhere, FLOAT32.
    ///
    /// @param value the value of every element
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the innermost arena
    public static Tensor full(double value, long... shape) {
        return full(DType.FLOAT32, value, shape);
    }

    /// One value everywhere.
    ///
    /// @param dtype its dtype
    /// @param value the value of every element
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the innermost arena
    public static Tensor full(DType dtype, double value, long... shape) {
        return full(null, dtype, value, shape);
    }

    /// One value everywhere.
    ///
    /// @param arena where it lives, or null for the innermost arena
    /// @param dtype its dtype
    /// @param value the value of every element
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the arena
    public static Tensor full(Arena arena, DType dtype, double value, long... shape) {
        return filled("full", arena, dtype, value, shape);
    }

    /// One value without axes, FLOAT32.
    ///
    /// @param value the value
    /// @return a new tensor in the innermost arena
    public static Tensor scalar(double value) {
        return scalar(DType.FLOAT32, value);
    }

    /// One value without axes.
    ///
    /// @param dtype its dtype
    /// @param value the value
    /// @return a new tensor in the innermost arena
    public static Tensor scalar(DType dtype, double value) {
        return scalar(null, dtype, value);
    }

    /// One value without axes.
    ///
    /// @param arena where it lives, or null for the innermost arena
    /// @param dtype its dtype
    /// @param value the value
    /// @return a new tensor in the arena
    public static Tensor scalar(Arena arena, DType dtype, double value) {
        return filled("scalar", arena, dtype, value);
    }

    /// Evenly spaced values from `start` on, `stop` excluded: `start + i·step`, FLOAT32.
    ///
    /// @param start the first value
    /// @param stop where it ends, excluded
    /// @param step the distance; may be negative, not 0
    /// @return a new tensor in the innermost arena
    /// @throws IllegalArgumentException if there is no such range
    public static Tensor arange(double start, double stop, double step) {
        return arange(DType.FLOAT32, start, stop, step);
    }

    /// Evenly spaced values from `start` on, `stop` excluded: `start + i·step`.
    ///
    /// @param dtype its dtype
    /// @param start the first value
    /// @param stop where it ends, excluded
    /// @param step the distance; may be negative, not 0
    /// @return a new tensor in the innermost arena
    /// @throws IllegalArgumentException if there is no such range
    public static Tensor arange(DType dtype, double start, double stop, double step) {
        return arange(null, dtype, start, stop, step);
    }

    /// Evenly spaced values from `start` on, `stop` excluded: `start + i·step`.
    ///
    /// @param arena where it lives, or null for the innermost arena
    /// @param dtype its dtype
    /// @param start the first value
    /// @param stop where it ends, excluded
    /// @param step the distance; may be negative, not 0
    /// @return a new tensor in the arena
    /// @throws IllegalArgumentException if there is no such range
    public static Tensor arange(Arena arena, DType dtype, double start, double stop, double step) {
        double count = Math.ceil((stop - start) / step);
        if (!(step != 0) || Double.isNaN(count) || count > Long.MAX_VALUE) {
            throw new IllegalArgumentException("arange: " + start + " to " + stop + " by " + step
                    + " is not a range; give finite ends and a step that is not 0");
        }
        Tensor tensor = place("arange", arena, dtype, new long[] {Math.max(0, (long) count)});
        return tensor.setAll(i -> start + i * step);
    }

    /// The identity matrix, FLOAT32.
    ///
    /// @param n rows and columns
    /// @return a new tensor in the innermost arena
    public static Tensor eye(long n) {
        return eye(DType.FLOAT32, n);
    }

    /// The identity matrix.
    ///
    /// @param dtype its dtype
    /// @param n rows and columns
    /// @return a new tensor in the innermost arena
    public static Tensor eye(DType dtype, long n) {
        return eye(null, dtype, n);
    }

    /// The identity matrix.
    ///
    /// @param arena where it lives, or null for the innermost arena
    /// @param dtype its dtype
    /// @param n rows and columns
    /// @return a new tensor in the arena
    public static Tensor eye(Arena arena, DType dtype, long n) {
        Tensor tensor = filled("eye", arena, dtype, 0, n, n);
        for (long i = 0; i < n && !tensor.storage.shapeOnly(); i++) {
            dtype.set(tensor.storage.segment(), tensor.offset + i * n + i, 1);
        }
        return tensor;
    }

    /// Uniform random values in [0, 1) from the generator that [#manualSeed(long)] seeds, FLOAT32.
    ///
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the innermost arena
    public static Tensor rand(long... shape) {
        return rand(DType.FLOAT32, shape);
    }

    /// Uniform random values in [0, 1) from the generator that [#manualSeed(long)] seeds.
    ///
    /// @param dtype its dtype
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the innermost arena
    public static Tensor rand(DType dtype, long... shape) {
        return rand(null, dtype, shape);
    }

    /// Uniform random values in [0, 1) from the generator that [#manualSeed(long)] seeds.
    ///
    /// @param arena where it lives, or null for the innermost arena
    /// @param dtype its dtype
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the arena
    public static Tensor rand(Arena arena, DType dtype, long... shape) {
        return Randomness.withDefault(generator -> rand(arena, dtype, generator, shape));
    }

    /// Uniform random values in [0, 1), FLOAT32.
    ///
    /// @param generator where the random numbers come from
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the innermost arena
    public static Tensor rand(RandomGenerator generator, long... shape) {
        return rand(DType.FLOAT32, generator, shape);
    }

    /// Uniform random values in [0, 1).
    ///
    /// @param dtype its dtype
    /// @param generator where the random numbers come from
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the innermost arena
    public static Tensor rand(DType dtype, RandomGenerator generator, long... shape) {
        return rand(null, dtype, generator, shape);
    }

    /// Uniform random values in [0, 1).
    ///
    /// @param arena where it lives, or null for the innermost arena
    /// @param dtype its dtype
    /// @param generator where the random numbers come from
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the arena
    public static Tensor rand(Arena arena, DType dtype, RandomGenerator generator, long... shape) {
        Randomness.requireFloating("rand", dtype);
        return Randomness.rand(place("rand", arena, dtype, shape), generator);
    }

    /// Normal random values of mean 0 and standard deviation 1 from the generator that [#manualSeed(long)]
    /// seeds, FLOAT32.
    ///
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the innermost arena
    public static Tensor randn(long... shape) {
        return randn(DType.FLOAT32, shape);
    }

    /// Normal random values of mean 0 and standard deviation 1 from the generator that [#manualSeed(long)]
    /// seeds.
    ///
    /// @param dtype its dtype
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the innermost arena
    public static Tensor randn(DType dtype, long... shape) {
        return randn(null, dtype, shape);
    }

    /// Normal random values of mean 0 and standard deviation 1 from the generator that [#manualSeed(long)]
    /// seeds.
    ///
    /// @param arena where it lives, or null for the innermost arena
    /// @param dtype its dtype
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the arena
    public static Tensor randn(Arena arena, DType dtype, long... shape) {
        return Randomness.withDefault(generator -> randn(arena, dtype, generator, shape));
    }

    /// Normal random values of mean 0 and standard deviation 1, FLOAT32.
    ///
    /// @param generator where the random numbers come from
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the innermost arena
    public static Tensor randn(RandomGenerator generator, long... shape) {
        return randn(DType.FLOAT32, generator, shape);
    }

    /// Normal random values of mean 0 and standard deviation 1.
    ///
    /// @param dtype its dtype
    /// @param generator where the random numbers come from
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the innermost arena
    public static Tensor randn(DType dtype, RandomGenerator generator, long... shape) {
        return randn(null, dtype, generator, shape);
    }

    /// Normal random values of mean 0 and standard deviation 1.
    ///
    /// @param arena where it lives, or null for the innermost arena
    /// @param dtype its dtype
    /// @param generator where the random numbers come from
    /// @param shape the size of each axis; none for a scalar
    /// @return a new tensor in the arena
    public static Tensor randn(Arena arena, DType dtype, RandomGenerator generator, long... shape) {
        Randomness.requireFloating("randn", dtype);
        return Randomness.randn(place("randn", arena, dtype, shape), generator);
    }

    /// The values along one axis, FLOAT32.
    ///
    /// @param values the elements in row-major order
    /// @return a new tensor in the innermost arena
    public static Tensor of(float... values) {
        return of(DType.FLOAT32, values);
    }

    /// The values along one axis.
    ///
    /// @param dtype its dtype
    /// @param values the elements in row-major order
    /// @return a new tensor in the innermost arena
    public static Tensor of(DType dtype, float... values) {
        return of(null, dtype, values);
    }

    /// The values along one axis.
    ///
    /// @param arena where it lives, or null for the innermost arena
    /// @param dtype its dtype
    /// @param values the elements in row-major order
    /// @return a new tensor in the arena
    public static Tensor of(Arena arena, DType dtype, float... values) {
        return of(arena, dtype, values, values.length);
    }

    /// The rows of a matrix, FLOAT32.
    ///
    /// @param rows the rows, all of one length
    /// @return a new tensor in the innermost arena
    /// @throws IllegalArgumentException if rows differ in length
    public static Tensor of(float[][] rows) {
        return of(DType.FLOAT32, rows);
    }

    /// The rows of a matrix.
    ///
    /// @param dtype its dtype
    /// @param rows the rows, all of one length
    /// @return a new tensor in the innermost arena
    /// @throws IllegalArgumentException if rows differ in length
    public static Tensor of(DType dtype, float[][] rows) {
        return of(null, dtype, rows);
    }

    /// The rows of a matrix.
    ///
    /// @param arena where it lives, or null for the innermost arena
    /// @param dtype its dtype
    /// @param rows the rows, all of one length
    /// @return a new tensor in the arena
    /// @throws IllegalArgumentException if rows differ in length
    public static Tensor of(Arena arena, DType dtype, float[][] rows) {
        int columns = rows.length == 0 ? 0 : rows[0].length;
        for (float[] row : rows) {
            if (row.length != columns) {
                throw new IllegalArgumentException(
                        "of: rows of " + columns + " and of " + row.length + " elements make no matrix");
            }
        }
        Tensor tensor = place("of", arena, dtype, new long[] {rows.length, columns});
        return tensor.setAll(i -> rows[(int) (i / columns)][(int) (i % columns)]);
    }

    /// The values in a shape, FLOAT32.
    ///
    /// @param values the elements in row-major order
    /// @param shape the size of each axis; none for one axis of all the values
    /// @return a new tensor in the innermost arena
    /// @throws IllegalArgumentException if the shape has another number of elements
    public static Tensor of(float[] values, long... shape) {
        return of(DType.FLOAT32, values, shape);
    }

    /// The values in a shape.
    ///
    /// @param dtype its dtype
    /// @param values the elements in row-major order
    /// @param shape the size of each axis; none for one axis of all the values
    /// @return a new tensor in the innermost arena
    /// @throws IllegalArgumentException if the shape has another number of elements
    public static Tensor of(DType dtype, float[] values, long... shape) {
        return of(null, dtype, values, shape);
    }

    /// The values in a shape.
    ///
    /// @param arena where it lives, or null for the innermost arena
    /// @param dtype its dtype
    /// @param values the elements in row-major order
    /// @param shape the size of each axis; none for one axis of all the values
    /// @return a new tensor in the arena
    /// @throws IllegalArgumentException if the shape has another number of elements
    public static Tensor of(Arena arena, DType dtype, float[] values, long... shape) {
        Tensor tensor = place("of", arena, dtype, valuesShape(values.length, shape));
        return tensor.setAll(i -> values[(int) i]);
    }

    /// The values in a shape, FLOAT64.
    ///
    /// @param values the elements in row-major order
    /// @param shape the size of each axis; none for one axis of all the values
    /// @return a new tensor in the innermost arena
    /// @throws IllegalArgumentException if the shape has another number of elements
    public static Tensor of(double[] values, long... shape) {
        return of(DType.FLOAT64, values, shape);
    }

    /// The values in a shape.
    ///
    /// @param dtype its dtype
    /// @param values the elements in row-major order
    /// @param shape the size of each axis; none for one axis of all the values
    /// @return a new tensor in the innermost arena
    /// @throws IllegalArgumentException if the shape has another number of elements
    public static Tensor of(DType dtype, double[] values, long... shape) {
        return of(null, dtype, values, shape);
    }

    /// The values in a shape.
    ///
    /// @param arena where it lives, or null for the innermost arena
    /// @param dtype its dtype
    /// @param values the elements in row-major order
    /// @param shape the size of each axis; none for one axis of all the values
    /// @return a new tensor in the arena
    /// @throws IllegalArgumentException if the shape has another number of elements
    public static Tensor of(Arena arena, DType dtype, double[] values, long... shape) {
        Tensor tensor = place("of", arena, dtype, valuesShape(values.length, shape));
        return tensor.setAll(i -> values[(int) i]);
    }

    /// The values in a shape, INT32.
    ///
    /// @param values the elements in row-major order
    /// @param shape the size of each axis; none for one axis of all the values
    /// @return a new tensor in the innermost arena
    /// @throws IllegalArgumentException if the shape has another number of elements
    public static Tensor of(int[] values, long... shape) {
        return of(DType.INT32, values, shape);
    }

    /// The values in a shape.
    ///
    /// @param dtype its dtype
    /// @param values the elements in row-major order
    /// @param shape the size of each axis; none for one axis of all the values
    /// @return a new tensor in the innermost arena
    /// @throws IllegalArgumentException if the shape has another number of elements
    public static Tensor of(DType dtype, int[] values, long... shape) {
        return of(null, dtype, values, shape);
    }

    /// The values in a shape.
    ///
    /// @param arena where it lives, or null for the innermost arena
    /// @param dtype its dtype
    /// @param values the elements in row-major order
    /// @param shape the size of each axis; none for one axis of all the values
    /// @return a new tensor in the arena
    /// @throws IllegalArgumentException if the shape has another number of elements
    public static Tensor of(Arena arena, DType dtype, int[] values, long... shape) {
        Tensor tensor = place("of", arena, dtype, valuesShape(values.length, shape));
        return tensor.setAll(i -> values[(int) i]);
    }

    /// The values in a shape, INT64, all 64 bits of them.
    ///
    /// @param values the elements in row-major order
    /// @param shape the size of each axis; none for one axis of all the values
    /// @return a new tensor in the innermost arena
    /// @throws IllegalArgumentException if the shape has another number of elements
    public static Tensor of(long[] values, long... shape) {
        Tensor tensor = place("of", null, DType.INT64, valuesShape(values.length, shape));
        if (!tensor.storage.shapeOnly()) {
            MemorySegment.copy(
                    values,
                    0,
                    tensor.storage.segment(),
                    ValueLayout.JAVA_LONG,
                    tensor.offset * Long.BYTES,
                    values.length);
        }
        return tensor;
    }

    /// Zeros of another tensor's shape and dtype.
    ///
    /// @param other the tensor to be like
    /// @return a new tensor in the innermost arena
    public static Tensor zerosLike(Tensor other) {
        return zeros(other.dtype, other.shape);
    }

    /// Ones of another tensor's shape and dtype.
    ///
    /// @param other the tensor to be like
    /// @return a new tensor in the innermost arena
    public static Tensor onesLike(Tensor other) {
        return ones(other.dtype, other.shape);
    }

    /// Whatever the memory holds, of another tensor's shape and dtype.
    ///
    /// @param other the tensor to be like
    /// @return a new tensor in the innermost arena
    public static Tensor emptyLike(Tensor other) {
        return empty(other.dtype, other.shape);
    }

    /// Seeds the generator behind `rand` and `randn` without one of their own: the same seed gives the same
    /// tensors.
    ///
    /// It is one for the process; threads that need their own sequence pass a generator.
    ///
    /// @param seed any number
    public static void manualSeed(long seed) {
        Randomness.seed(seed);
    }

    /// Where the generator of [#manualSeed(long)] stands.
    ///
    /// @return a new INT64 tensor `[4]` in the innermost arena, for [#setRandomState(Tensor)]
    public static Tensor randomState() {
        return of(Randomness.state());
    }

    /// Lets the generator of [#manualSeed(long)] go on from where it once stood.
    ///
    /// @param state what [#randomState()] gave
    /// @throws IllegalArgumentException if it is no such state
    public static void setRandomState(Tensor state) {
        long[] numbers = state.dtype == DType.INT64 ? state.toLongArray() : new long[0];
        if (numbers.length != Xoshiro256.STATE || Arrays.stream(numbers).allMatch(n -> n == 0)) {
            throw new IllegalArgumentException("setRandomState: " + Shape.text(state.shape) + " " + state.dtype
                    + " is no state of the generator; give what randomState() gave");
        }
        Randomness.state(numbers);
    }

    /// A tensor over memory of the caller's, without a copy. It does not count in [Memory], and reading it after
    /// the segment's arena is closed throws. For a file that others may shorten use [MappedFile].
    ///
    /// @param segment native memory, aligned for the dtype and large enough
    /// @param dtype the dtype of the elements in it
    /// @param shape the size of each axis, row-major
    /// @return a tensor over the segment
    /// @throws IllegalArgumentException if the segment is on the heap, too small or not aligned
    public static Tensor wrap(MemorySegment segment, DType dtype, long... shape) {
        long[] sizes = Shape.checked("wrap", dtype.bytes(), shape.clone());
        long bytes = Shape.size(sizes) * dtype.bytes();
        if (!segment.isNative()) {
            throw new IllegalArgumentException("wrap: the segment is on the Java heap; allocate it from an Arena");
        }
        if (segment.byteSize() < bytes) {
            throw new IllegalArgumentException("wrap: " + Shape.text(sizes) + " " + dtype + " takes " + bytes
                    + " bytes, and the segment has " + segment.byteSize());
        }
        if (segment.address() % dtype.bytes() != 0) {
            throw new IllegalArgumentException(
                    "wrap: the segment is not aligned to " + dtype.bytes() + " bytes, as " + dtype + " needs");
        }
        return new Tensor(Storage.of(null, segment.asSlice(0, bytes), "wrap", dtype, sizes), dtype, sizes);
    }

    private static Tensor filled(String op, Arena arena, DType dtype, double value, long... shape) {
        Conversions.requireConvertible(op, value, dtype);
        return place(op, arena, dtype, shape).fill(value);
    }

    /// A new contiguous tensor in an arena, null standing for the innermost one; the elements are not set.
    private static Tensor place(String op, Arena arena, DType dtype, long[] shape) {
        long[] sizes = Shape.checked(op, dtype.bytes(), shape.clone());
        return arena == null ? Tensor.make(op, dtype, sizes, false) : Tensor.makeIn(arena, op, dtype, sizes);
    }

    private static long[] valuesShape(int values, long[] shape) {
        if (shape.length == 0) {
            return new long[] {values};
        }
        Shape.checked("of", DType.FLOAT64.bytes(), shape);
        if (Shape.size(shape) != values) {
            throw new IllegalArgumentException("of: " + values + " values do not fill the shape " + Shape.text(shape));
        }
        return shape;
    }
}
