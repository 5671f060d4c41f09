package org.toydiff;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.LongToDoubleFunction;
import java.util.random.RandomGenerator;
import org.toydiff.internal.launch.Spacing;
import org.toydiff.internal.memory.Storage;
import org.toydiff.internal.random.DefaultGenerator;

/// An n-dimensional array outside the Java heap, and a node of the gradient graph.
///
/// ```java
/// try (var arena = TensorArena.ofConfined()) {
///     Tensor a = Tensor.rand(3, 3).trackGradient();
///     Tensor loss = a.exp().sum();
///     loss.backward();
///     System.out.println(a.gradient());
/// }
/// ```
///
/// Its factories are declared here, its other methods in the interfaces that it implements, one for each subject:
///
/// - Making tensors: [zeros][#zeros], [zerosLike][#zerosLike], [ones][#ones], [onesLike][#onesLike], [full][#full],
///   [empty][#empty], [emptyLike][#emptyLike], [of][#of], [scalar][#scalar], [eye][#eye], [arange][#arange],
///   [linspace][#linspace], [logspace][#logspace], [rand][#rand], [randn][#randn], [randint][#randint],
///   [randperm][#randperm], [wrap][#wrap]
/// - The generator of random numbers: [manualSeed][#manualSeed], [initialSeed][#initialSeed],
///   [randomState][#randomState], [setRandomState][#setRandomState]
/// - Drawing by probabilities ([SamplingOps]): [bernoulli][#bernoulli], [multinomial][#multinomial],
///   [dropout][#dropout]
/// - Several tensors: [concat][#concat], [stack][#stack], [where][#where], [meshgrid][#meshgrid],
///   [einsum][#einsum], [custom][#custom]
/// - Element by element ([ElementwiseOps]): [add][#add], [subtract][#subtract], [multiply][#multiply],
///   [divide][#divide], [power][#power], [maximum][#maximum], [minimum][#minimum], [clamp][#clamp],
///   [negative][#negative], [abs][#abs], [sign][#sign], [reciprocal][#reciprocal], [sqrt][#sqrt], [rsqrt][#rsqrt],
///   [relu][#relu], [sigmoid][#sigmoid], [erf][#erf], [cast][#cast]
/// - Activations ([ActivationOps]): [elu][#elu], [gelu][#gelu], [geluTanh][#geluTanh], [hardswish][#hardswish],
///   [mish][#mish]
/// - Exponentials and logarithms ([ExponentialOps]): [exp][#exp], [exp2][#exp2], [expm1][#expm1], [log][#log],
///   [log2][#log2], [log10][#log10], [log1p][#log1p]
/// - Trigonometric and hyperbolic functions ([TrigonometricOps]): [sin][#sin], [cos][#cos], [tan][#tan],
///   [asin][#asin], [acos][#acos], [atan][#atan], [atan2][#atan2], [sinh][#sinh], [cosh][#cosh], [tanh][#tanh],
///   [hypot][#hypot]
/// - Rounding, NaN and infinities ([RoundingOps]): [floor][#floor], [ceil][#ceil], [round][#round],
///   [trunc][#trunc], [isNan][#isNan], [isFinite][#isFinite], [isInf][#isInf], [nanToNum][#nanToNum]
/// - Quotients and remainders ([DivisionOps]): [floorDivide][#floorDivide], [remainder][#remainder], [fmod][#fmod]
/// - Comparisons ([ComparisonOps]): [equalTo][#equalTo], [notEqualTo][#notEqualTo], [greater][#greater],
///   [greaterOrEqual][#greaterOrEqual], [less][#less], [lessOrEqual][#lessOrEqual]
/// - Logic ([LogicOps]): [logicalAnd][#logicalAnd], [logicalOr][#logicalOr], [logicalXor][#logicalXor],
///   [logicalNot][#logicalNot], [any][#any], [all][#all], [countNonzero][#countNonzero]
/// - Reductions ([ReductionOps]): [sum][#sum], [mean][#mean], [max][#max], [min][#min], [argmax][#argmax],
///   [argmin][#argmin], [logSumExp][#logSumExp], [norm][#norm]
/// - Statistics ([StatisticsOps]): [var][#var], [std][#std], [median][#median], [quantile][#quantile],
///   [bincount][#bincount], [histogram][#histogram]
/// - Reductions without NaN ([NanOps]): [nanSum][#nanSum], [nanMean][#nanMean], [nanMedian][#nanMedian],
///   [nanQuantile][#nanQuantile]
/// - Along an axis ([CumulativeOps]): [cumsum][#cumsum], [cumprod][#cumprod], [prod][#prod], [diff][#diff]
/// - Softmax and cross entropy ([SoftmaxOps]): [softmax][#softmax], [logSoftmax][#logSoftmax],
///   [crossEntropy][#crossEntropy]
/// - Attention ([AttentionOps]): [scaledDotProductAttention][#scaledDotProductAttention]
/// - Normalisation ([NormalizationOps]): [layerNorm][#layerNorm], [rmsNorm][#rmsNorm],
///   [groupNorm][#groupNorm], [batchNorm][#batchNorm]
/// - Pooling and interpolation ([PoolingOps]): [maxPool][#maxPool], [avgPool][#avgPool],
///   [adaptiveAvgPool][#adaptiveAvgPool], [upsampleNearest][#upsampleNearest], [upsampleLinear][#upsampleLinear]
/// - Products ([ProductOps]): [matmul][#matmul], [linear][#linear], [fma][#fma]
/// - Convolutions ([ConvolutionOps]): [convolution][#convolution], [transposedConvolution][#transposedConvolution],
///   [unfold][#unfold], [fold][#fold]
/// - Recurrent layers ([RecurrenceOps]): [rnn][#rnn], [lstm][#lstm], [gru][#gru]
/// - Shape and views ([ShapeOps]): [shape][#shape], [rank][#rank], [size][#size], [reshape][#reshape],
///   [flatten][#flatten], [squeeze][#squeeze], [unsqueeze][#unsqueeze], [transpose][#transpose],
///   [movedim][#movedim], [broadcastTo][#broadcastTo], [slice][#slice], [get][#get], [split][#split],
///   [chunk][#chunk]
/// - Arrangement ([ArrangementOps]): [flip][#flip], [roll][#roll], [pad][#pad], [tile][#tile], [repeat][#repeat],
///   [triu][#triu], [tril][#tril], [diag][#diag], [outer][#outer], [kron][#kron]
/// - Elements at positions ([IndexingOps]): [gather][#gather], [indexSelect][#indexSelect], [topk][#topk]
/// - Elements at masks ([MaskOps]): [select][#select], [put][#put], [nonzero][#nonzero]
/// - Order ([SortingOps]): [sort][#sort], [argsort][#argsort], [unique][#unique]
/// - Gradients ([AutogradOps]): [trackGradient][#trackGradient], [tracksGradient][#tracksGradient],
///   [backward][#backward], [gradient][#gradient], [hasGradient][#hasGradient], [zeroGradient][#zeroGradient],
///   [retain][#retain], [detach][#detach], [releaseSchedule][#releaseSchedule]
/// - Elements and memory ([MemoryOps]): [dtype][#dtype], [item][#item], [at][#at], [toFloatArray][#toFloatArray],
///   [toDoubleArray][#toDoubleArray], [toLongArray][#toLongArray], [segment][#segment],
///   [isContiguous][#isContiguous], [copyFrom][#copyFrom], [copyTo][#copyTo], [moveTo][#moveTo]
///
/// **Ops** take operands of one floating dtype unless they say otherwise, and broadcast as NumPy does. An
/// op makes a new tensor in the innermost [TensorArena] and modifies none of its operands, unless its documentation
/// says that it returns a view. Operands that do not fit throw IllegalArgumentException naming the op, the shapes and
/// the remedy; operands that were freed, or whose arena is closed, IllegalStateException; operands confined to another
/// thread, WrongThreadException; an allocation that would pass a byte limit, [MemoryLimitException].
///
/// **Gradients** An op on a tensor that tracks gradients is recorded, and its result tracks them too. [#backward()]
/// on a result adds to [#gradient()] of every tensor it was computed from.
///
/// **Factories** Each makes a FLOAT32 tensor in the innermost arena; with a leading [DType], a tensor of that dtype;
/// with a leading Arena too, one in that arena, which may be the JDK's.
///
/// A tensor is a small handle; equality is identity.
public final class Tensor extends TensorBase
        implements ElementwiseOps,
                ActivationOps,
                ExponentialOps,
                TrigonometricOps,
                RoundingOps,
                DivisionOps,
                ComparisonOps,
                LogicOps,
                ReductionOps,
                StatisticsOps,
                NanOps,
                CumulativeOps,
                SoftmaxOps,
                NormalizationOps,
                PoolingOps,
                ProductOps,
                ConvolutionOps,
                AttentionOps,
                RecurrenceOps,
                ShapeOps,
                ArrangementOps,
                IndexingOps,
                MaskOps,
                SortingOps,
                SamplingOps,
                AutogradOps,
                MemoryOps {
    Tensor(Storage storage, long offset, long[] shape, long[] strides, DType dtype) {
        super(storage, offset, shape, strides, dtype);
    }

    /// {@return the elements as NumPy prints them, summarised beyond 1,000, with dtype and the op that made the
    /// tensor}
    @Override
    public String toString() {
        return text();
    }

    /// {@return a new tensor of zeros, FLOAT32, in the innermost arena}
    ///
    /// @param shape the size of each axis; none for a scalar
    public static Tensor zeros(long... shape) {
        return zeros(DType.FLOAT32, shape);
    }

    /// {@return a new tensor of zeros, in the innermost arena}
    ///
    /// @param dtype the dtype of the elements
    /// @param shape the size of each axis; none for a scalar
    public static Tensor zeros(DType dtype, long... shape) {
        return zeros(null, dtype, shape);
    }

    /// {@return a new tensor of zeros, in the given arena}
    ///
    /// @param arena the arena to allocate from, or null for the innermost one
    /// @param dtype the dtype of the elements
    /// @param shape the size of each axis; none for a scalar
    public static Tensor zeros(Arena arena, DType dtype, long... shape) {
        return filled("zeros", arena, dtype, 0, shape);
    }

    /// {@return a new tensor of ones, FLOAT32, in the innermost arena}
    ///
    /// @param shape the size of each axis; none for a scalar
    public static Tensor ones(long... shape) {
        return ones(DType.FLOAT32, shape);
    }

    /// {@return a new tensor of ones, in the innermost arena}
    ///
    /// @param dtype the dtype of the elements
    /// @param shape the size of each axis; none for a scalar
    public static Tensor ones(DType dtype, long... shape) {
        return ones(null, dtype, shape);
    }

    /// {@return a new tensor of ones, in the given arena}
    ///
    /// @param arena the arena to allocate from, or null for the innermost one
    /// @param dtype the dtype of the elements
    /// @param shape the size of each axis; none for a scalar
    public static Tensor ones(Arena arena, DType dtype, long... shape) {
        return filled("ones", arena, dtype, 1, shape);
    }

    /// {@return a new tensor whose elements are not set, FLOAT32, in the innermost arena}
    ///
    /// @param shape the size of each axis; none for a scalar
    public static Tensor empty(long... shape) {
        return empty(DType.FLOAT32, shape);
    }

    /// {@return a new tensor whose elements are not set, or false, in the innermost arena}
    ///
    /// @param dtype the dtype of the elements
    /// @param shape the size of each axis; none for a scalar
    public static Tensor empty(DType dtype, long... shape) {
        return empty(null, dtype, shape);
    }

    /// {@return a new tensor whose elements are not set, or false, in the given arena}
    ///
    /// @param arena the arena to allocate from, or null for the innermost one
    /// @param dtype the dtype of the elements
    /// @param shape the size of each axis; none for a scalar
    public static Tensor empty(Arena arena, DType dtype, long... shape) {
        // Memory as it is holds numbers of any dtype, but not truth values.
        return dtype == DType.BOOL ? filled("empty", arena, dtype, 0, shape) : allocate("empty", arena, dtype, shape);
    }

    /// {@return a new tensor filled with one value, FLOAT32, in the innermost arena}
    ///
    /// @param value the value of every element
    /// @param shape the size of each axis; none for a scalar
    public static Tensor full(double value, long... shape) {
        return full(DType.FLOAT32, value, shape);
    }

    /// {@return a new tensor filled with one value, in the innermost arena}
    ///
    /// @param dtype the dtype of the elements
    /// @param value the value of every element
    /// @param shape the size of each axis; none for a scalar
    public static Tensor full(DType dtype, double value, long... shape) {
        return full(null, dtype, value, shape);
    }

    /// {@return a new tensor filled with one value, in the given arena}
    ///
    /// @param arena the arena to allocate from, or null for the innermost one
    /// @param dtype the dtype of the elements
    /// @param value the value of every element
    /// @param shape the size of each axis; none for a scalar
    public static Tensor full(Arena arena, DType dtype, double value, long... shape) {
        return filled("full", arena, dtype, value, shape);
    }

    /// {@return a new tensor without axes, FLOAT32, in the innermost arena}
    ///
    /// @param value its value
    public static Tensor scalar(double value) {
        return scalar(DType.FLOAT32, value);
    }

    /// {@return a new tensor without axes, in the innermost arena}
    ///
    /// @param dtype the dtype of the elements
    /// @param value its value
    public static Tensor scalar(DType dtype, double value) {
        return scalar(null, dtype, value);
    }

    /// {@return a new tensor without axes, in the given arena}
    ///
    /// @param arena the arena to allocate from, or null for the innermost one
    /// @param dtype the dtype of the elements
    /// @param value its value
    public static Tensor scalar(Arena arena, DType dtype, double value) {
        return filled("scalar", arena, dtype, value);
    }

    /// {@return a new vector of evenly spaced values `start + i·step` below `stop`, FLOAT32, in the innermost arena}
    ///
    /// @param start the first value
    /// @param stop the end, excluded
    /// @param step the distance; may be negative, not 0
    /// @throws IllegalArgumentException if an end is not finite or the step is 0
    public static Tensor arange(double start, double stop, double step) {
        return arange(DType.FLOAT32, start, stop, step);
    }

    /// {@return a new vector of evenly spaced values `start + i·step` below `stop`, in the innermost arena}
    ///
    /// @param dtype the dtype of the elements
    /// @param start the first value
    /// @param stop the end, excluded
    /// @param step the distance; may be negative, not 0
    /// @throws IllegalArgumentException if an end is not finite or the step is 0
    public static Tensor arange(DType dtype, double start, double stop, double step) {
        return arange(null, dtype, start, stop, step);
    }

    /// {@return a new vector of evenly spaced values `start + i·step` below `stop`, in the given arena}
    ///
    /// @param arena the arena to allocate from, or null for the innermost one
    /// @param dtype the dtype of the elements
    /// @param start the first value
    /// @param stop the end, excluded
    /// @param step the distance; may be negative, not 0
    /// @throws IllegalArgumentException if an end is not finite or the step is 0
    public static Tensor arange(Arena arena, DType dtype, double start, double stop, double step) {
        Tensor tensor = allocate("arange", arena, dtype, Spacing.count(start, stop, step));
        return tensor.setAll(i -> start + i * step);
    }

    /// {@return a new vector of `count` evenly spaced values from `start` to `stop`, FLOAT32, in the innermost arena}
    ///
    /// @param start the first value
    /// @param stop the last value, of more than one
    /// @param count the number of values
    /// @throws IllegalArgumentException if the number is negative, or an end is not finite
    public static Tensor linspace(double start, double stop, long count) {
        return linspace(DType.FLOAT32, start, stop, count);
    }

    /// {@return a new vector of `count` evenly spaced values from `start` to `stop`, in the innermost arena}
    ///
    /// @param dtype the dtype
    /// @param start the first value
    /// @param stop the last value, of more than one
    /// @param count the number of values
    /// @throws IllegalArgumentException if the number is negative, or an end is not finite
    public static Tensor linspace(DType dtype, double start, double stop, long count) {
        return linspace(null, dtype, start, stop, count);
    }

    /// {@return a new vector of `count` evenly spaced values from `start` to `stop`, in the given arena} They are
    /// computed in double from the nearer end, so that the ends are exact.
    ///
    /// @param arena the arena
    /// @param dtype the dtype
    /// @param start the first value
    /// @param stop the last value, of more than one
    /// @param count the number of values
    /// @throws IllegalArgumentException if the number is negative, or an end is not finite
    public static Tensor linspace(Arena arena, DType dtype, double start, double stop, long count) {
        LongToDoubleFunction values = Spacing.between("linspace", start, stop, count);
        return allocate("linspace", arena, dtype, count).setAll(values);
    }

    /// {@return a new vector of `count` powers of `base`, their exponents evenly spaced, in the innermost arena}
    ///
    /// @param dtype the dtype
    /// @param start the first exponent
    /// @param stop the last exponent, of more than one
    /// @param count the number of values
    /// @param base the base
    /// @throws IllegalArgumentException if the number is negative, or an end is not finite
    public static Tensor logspace(DType dtype, double start, double stop, long count, double base) {
        LongToDoubleFunction exponents = Spacing.between("logspace", start, stop, count);
        return allocate("logspace", null, dtype, count).setAll(i -> StrictMath.pow(base, exponents.applyAsDouble(i)));
    }

    /// {@return a new identity matrix, FLOAT32, in the innermost arena}
    ///
    /// @param n the number of rows and of columns
    public static Tensor eye(long n) {
        return eye(DType.FLOAT32, n);
    }

    /// {@return a new identity matrix, in the innermost arena}
    ///
    /// @param dtype the dtype of the elements
    /// @param n the number of rows and of columns
    public static Tensor eye(DType dtype, long n) {
        return eye(null, dtype, n);
    }

    /// {@return a new identity matrix, in the given arena}
    ///
    /// @param arena the arena to allocate from, or null for the innermost one
    /// @param dtype the dtype of the elements
    /// @param n the number of rows and of columns
    public static Tensor eye(Arena arena, DType dtype, long n) {
        return allocate("eye", arena, dtype, n, n).setAll(i -> i % (n + 1) == 0 ? 1 : 0);
    }

    /// {@return a new tensor of uniform random values in [0, 1), FLOAT32, in the innermost arena}
    ///
    /// @param shape the size of each axis; none for a scalar
    public static Tensor rand(long... shape) {
        return rand(DType.FLOAT32, shape);
    }

    /// {@return a new tensor of uniform random values in [0, 1), in the innermost arena}
    ///
    /// @param dtype the dtype of the elements
    /// @param shape the size of each axis; none for a scalar
    public static Tensor rand(DType dtype, long... shape) {
        return rand(null, dtype, shape);
    }

    /// {@return a new tensor of uniform random values in [0, 1), in the given arena}
    ///
    /// @param arena the arena to allocate from, or null for the innermost one
    /// @param dtype the dtype of the elements
    /// @param shape the size of each axis; none for a scalar
    public static Tensor rand(Arena arena, DType dtype, long... shape) {
        return Sampling.drawn(generator -> rand(arena, dtype, generator, shape));
    }

    /// {@return a new tensor of uniform random values in [0, 1), FLOAT32, in the innermost arena}
    ///
    /// @param generator the source of random numbers
    /// @param shape the size of each axis; none for a scalar
    public static Tensor rand(RandomGenerator generator, long... shape) {
        return rand(DType.FLOAT32, generator, shape);
    }

    /// {@return a new tensor of uniform random values in [0, 1), in the innermost arena}
    ///
    /// @param dtype the dtype of the elements
    /// @param generator the source of random numbers
    /// @param shape the size of each axis; none for a scalar
    public static Tensor rand(DType dtype, RandomGenerator generator, long... shape) {
        return rand(null, dtype, generator, shape);
    }

    /// {@return a new tensor of uniform random values in [0, 1), in the given arena}
    ///
    /// @param arena the arena to allocate from, or null for the innermost one
    /// @param dtype the dtype of the elements
    /// @param generator the source of random numbers
    /// @param shape the size of each axis; none for a scalar
    public static Tensor rand(Arena arena, DType dtype, RandomGenerator generator, long... shape) {
        dtype.requireFloating("rand");
        return Sampling.draw(null, allocate("rand", arena, dtype, shape), generator, Sampling.UNIFORM);
    }

    /// {@return a new tensor of standard normal random values, FLOAT32, in the innermost arena}
    ///
    /// @param shape the size of each axis; none for a scalar
    public static Tensor randn(long... shape) {
        return randn(DType.FLOAT32, shape);
    }

    /// {@return a new tensor of standard normal random values, in the innermost arena}
    ///
    /// @param dtype the dtype of the elements
    /// @param shape the size of each axis; none for a scalar
    public static Tensor randn(DType dtype, long... shape) {
        return randn(null, dtype, shape);
    }

    /// {@return a new tensor of standard normal random values, in the given arena}
    ///
    /// @param arena the arena to allocate from, or null for the innermost one
    /// @param dtype the dtype of the elements
    /// @param shape the size of each axis; none for a scalar
    public static Tensor randn(Arena arena, DType dtype, long... shape) {
        return Sampling.drawn(generator -> randn(arena, dtype, generator, shape));
    }

    /// {@return a new tensor of standard normal random values, FLOAT32, in the innermost arena}
    ///
    /// @param generator the source of random numbers
    /// @param shape the size of each axis; none for a scalar
    public static Tensor randn(RandomGenerator generator, long... shape) {
        return randn(DType.FLOAT32, generator, shape);
    }

    /// {@return a new tensor of standard normal random values, in the innermost arena}
    ///
    /// @param dtype the dtype of the elements
    /// @param generator the source of random numbers
    /// @param shape the size of each axis; none for a scalar
    public static Tensor randn(DType dtype, RandomGenerator generator, long... shape) {
        return randn(null, dtype, generator, shape);
    }

    /// {@return a new tensor of standard normal random values, in the given arena}
    ///
    /// @param arena the arena to allocate from, or null for the innermost one
    /// @param dtype the dtype of the elements
    /// @param generator the source of random numbers
    /// @param shape the size of each axis; none for a scalar
    public static Tensor randn(Arena arena, DType dtype, RandomGenerator generator, long... shape) {
        dtype.requireFloating("randn");
        return Sampling.draw(null, allocate("randn", arena, dtype, shape), generator, Sampling.NORMAL);
    }

    /// {@return a new INT64 tensor of uniform random integers from `low` to `high − 1`, in the innermost arena}
    ///
    /// @param low the smallest integer
    /// @param high one more than the largest integer
    /// @param shape the shape
    /// @throws IllegalArgumentException if low is not below high
    public static Tensor randint(long low, long high, long... shape) {
        return Sampling.drawn(generator -> randint(DType.INT64, generator, low, high, shape));
    }

    /// {@return a new tensor of uniform random integers from `low` to `high − 1`, in the innermost arena}
    ///
    /// @param dtype INT32 or INT64
    /// @param generator the source of random numbers
    /// @param low the smallest integer
    /// @param high one more than the largest integer
    /// @param shape the shape
    /// @throws IllegalArgumentException if low is not below high, or the dtype is another or too small
    public static Tensor randint(DType dtype, RandomGenerator generator, long low, long high, long... shape) {
        return Sampling.integers(dtype, generator, low, high, shape);
    }

    /// {@return a new INT64 vector of the integers from 0 to `n − 1` in random order, in the innermost arena}
    ///
    /// @param n the number of integers
    /// @throws IllegalArgumentException if it is negative
    public static Tensor randperm(long n) {
        return Sampling.drawn(generator -> randperm(generator, n));
    }

    /// {@return a new INT64 vector of the integers from 0 to `n − 1` in random order, in the innermost arena}
    ///
    /// @param generator the source of random numbers
    /// @param n the number of integers
    /// @throws IllegalArgumentException if it is negative
    public static Tensor randperm(RandomGenerator generator, long n) {
        return Sampling.permutation(generator, n);
    }

    /// {@return a new vector of the values, FLOAT32, in the innermost arena}
    ///
    /// @param values the elements
    public static Tensor of(float... values) {
        return of(DType.FLOAT32, values);
    }

    /// {@return a new vector of the values, in the innermost arena}
    ///
    /// @param dtype the dtype of the elements
    /// @param values the elements
    public static Tensor of(DType dtype, float... values) {
        return of(null, dtype, values);
    }

    /// {@return a new vector of the values, in the given arena}
    ///
    /// @param arena the arena to allocate from, or null for the innermost one
    /// @param dtype the dtype of the elements
    /// @param values the elements
    public static Tensor of(Arena arena, DType dtype, float... values) {
        return of(arena, dtype, values, values.length);
    }

    /// {@return a new matrix of the rows, FLOAT32, in the innermost arena}
    ///
    /// @param rows the rows, all of one length
    /// @throws IllegalArgumentException if rows differ in length
    public static Tensor of(float[][] rows) {
        return of(DType.FLOAT32, rows);
    }

    /// {@return a new matrix of the rows, in the innermost arena}
    ///
    /// @param dtype the dtype of the elements
    /// @param rows the rows, all of one length
    /// @throws IllegalArgumentException if rows differ in length
    public static Tensor of(DType dtype, float[][] rows) {
        return of(null, dtype, rows);
    }

    /// {@return a new matrix of the rows, in the given arena}
    ///
    /// @param arena the arena to allocate from, or null for the innermost one
    /// @param dtype the dtype of the elements
    /// @param rows the rows, all of one length
    /// @throws IllegalArgumentException if rows differ in length
    public static Tensor of(Arena arena, DType dtype, float[][] rows) {
        int columns = columns(rows);
        Tensor tensor = allocate("of", arena, dtype, rows.length, columns);
        return tensor.setAll(i -> rows[(int) (i / columns)][(int) (i % columns)]);
    }

    /// {@return a new tensor of the values in a shape, FLOAT32, in the innermost arena}
    ///
    /// @param values the elements in row-major order
    /// @param shape the size of each axis; none for one axis of all the values
    /// @throws IllegalArgumentException if the shape has another number of elements
    public static Tensor of(float[] values, long... shape) {
        return of(DType.FLOAT32, values, shape);
    }

    /// {@return a new tensor of the values in a shape, in the innermost arena}
    ///
    /// @param dtype the dtype of the elements
    /// @param values the elements in row-major order
    /// @param shape the size of each axis; none for one axis of all the values
    /// @throws IllegalArgumentException if the shape has another number of elements
    public static Tensor of(DType dtype, float[] values, long... shape) {
        return of(null, dtype, values, shape);
    }

    /// {@return a new tensor of the values in a shape, in the given arena}
    ///
    /// @param arena the arena to allocate from, or null for the innermost one
    /// @param dtype the dtype of the elements
    /// @param values the elements in row-major order
    /// @param shape the size of each axis; none for one axis of all the values
    /// @throws IllegalArgumentException if the shape has another number of elements
    public static Tensor of(Arena arena, DType dtype, float[] values, long... shape) {
        Tensor tensor = allocate("of", arena, dtype, shapeOf(values.length, shape));
        return tensor.setAll(i -> values[(int) i]);
    }

    /// {@return a new tensor of the values in a shape, FLOAT64, in the innermost arena}
    ///
    /// @param values the elements in row-major order
    /// @param shape the size of each axis; none for one axis of all the values
    /// @throws IllegalArgumentException if the shape has another number of elements
    public static Tensor of(double[] values, long... shape) {
        return of(DType.FLOAT64, values, shape);
    }

    /// {@return a new tensor of the values in a shape, in the innermost arena}
    ///
    /// @param dtype the dtype of the elements
    /// @param values the elements in row-major order
    /// @param shape the size of each axis; none for one axis of all the values
    /// @throws IllegalArgumentException if the shape has another number of elements
    public static Tensor of(DType dtype, double[] values, long... shape) {
        return of(null, dtype, values, shape);
    }

    /// {@return a new tensor of the values in a shape, in the given arena}
    ///
    /// @param arena the arena to allocate from, or null for the innermost one
    /// @param dtype the dtype of the elements
    /// @param values the elements in row-major order
    /// @param shape the size of each axis; none for one axis of all the values
    /// @throws IllegalArgumentException if the shape has another number of elements
    public static Tensor of(Arena arena, DType dtype, double[] values, long... shape) {
        Tensor tensor = allocate("of", arena, dtype, shapeOf(values.length, shape));
        return tensor.setAll(i -> values[(int) i]);
    }

    /// {@return a new tensor of the values in a shape, INT32, in the innermost arena}
    ///
    /// @param values the elements in row-major order
    /// @param shape the size of each axis; none for one axis of all the values
    /// @throws IllegalArgumentException if the shape has another number of elements
    public static Tensor of(int[] values, long... shape) {
        return of(DType.INT32, values, shape);
    }

    /// {@return a new tensor of the values in a shape, in the innermost arena}
    ///
    /// @param dtype the dtype of the elements
    /// @param values the elements in row-major order
    /// @param shape the size of each axis; none for one axis of all the values
    /// @throws IllegalArgumentException if the shape has another number of elements
    public static Tensor of(DType dtype, int[] values, long... shape) {
        return of(null, dtype, values, shape);
    }

    /// {@return a new tensor of the values in a shape, in the given arena}
    ///
    /// @param arena the arena to allocate from, or null for the innermost one
    /// @param dtype the dtype of the elements
    /// @param values the elements in row-major order
    /// @param shape the size of each axis; none for one axis of all the values
    /// @throws IllegalArgumentException if the shape has another number of elements
    public static Tensor of(Arena arena, DType dtype, int[] values, long... shape) {
        Tensor tensor = allocate("of", arena, dtype, shapeOf(values.length, shape));
        return tensor.setAll(i -> values[(int) i]);
    }
    /// {@return a new INT64 tensor of the values in a shape, all 64 bits of them, in the innermost arena}
    ///
    /// @param values the elements in row-major order
    /// @param shape the size of each axis; none for one axis of all the values
    /// @throws IllegalArgumentException if the shape has another number of elements
    public static Tensor of(long[] values, long... shape) {
        return allocate("of", null, DType.INT64, shapeOf(values.length, shape)).setAll(values);
    }

    /// {@return a new tensor of zeros with another tensor's shape and dtype, in the innermost arena}
    ///
    /// @param other the tensor to be like
    public static Tensor zerosLike(Tensor other) {
        return zeros(other.dtype, other.shape);
    }

    /// {@return a new tensor of ones with another tensor's shape and dtype, in the innermost arena}
    ///
    /// @param other the tensor to be like
    public static Tensor onesLike(Tensor other) {
        return ones(other.dtype, other.shape);
    }

    /// {@return a new tensor with another tensor's shape and dtype, its elements not set, in the innermost arena}
    ///
    /// @param other the tensor to be like
    public static Tensor emptyLike(Tensor other) {
        return empty(other.dtype, other.shape);
    }

    /// {@return a tensor over the caller's memory, without a copy} It does not count in [Memory], and reading it
    /// after the segment's arena is closed throws. For a file that others may shorten use [MappedFile].
    ///
    /// @param segment native memory, aligned for the dtype and large enough
    /// @param dtype the dtype of the elements in it
    /// @param shape the size of each axis, row-major
    /// @throws IllegalArgumentException if the segment is on the heap, too small or not aligned
    public static Tensor wrap(MemorySegment segment, DType dtype, long... shape) {
        return wrapped(segment, dtype, shape.clone());
    }

    /// Seeds the default generator, which is behind `rand` and `randn` without a generator: the same seed gives the
    /// same tensors. It is one for the process; threads that need a sequence of their own pass a generator.
    ///
    /// @param seed any number
    public static void manualSeed(long seed) {
        Recorder.repeated("manualSeed", () -> DefaultGenerator.seed(Scope.current().draws, seed));
    }

    /// {@return the seed from which the default generator started: that of [#manualSeed], or a number from the clock
    /// if it was not called; empty after [#setRandomState], because a state does not show its seed}
    public static OptionalLong initialSeed() {
        return DefaultGenerator.initialSeed();
    }

    /// {@return the state of the default generator: a new INT64 tensor `[4]` in the innermost arena}
    public static Tensor randomState() {
        Recorder.refuse("randomState", "reads a state that a replay would not read again; move it out of the function");
        return of(DefaultGenerator.state());
    }

    /// Restores a state of the default generator, which then goes on from there.
    ///
    /// @param state a result of [#randomState()]
    /// @throws IllegalArgumentException if it is no such state
    public static void setRandomState(Tensor state) {
        DefaultGenerator.state(Scope.current().draws, Sampling.generatorState(state));
    }

    /// {@return a new tensor with the elements of a where the condition is true, those of b elsewhere} Gradient `g`
    /// to the one that was taken, 0 to the other, whatever stands there; the shape is the broadcast one.
    ///
    /// @param condition BOOL, broadcasts with a and b
    /// @param a the elements to take where it is true, of any dtype
    /// @param b the elements to take elsewhere, of the same dtype
    /// @throws IllegalArgumentException if the condition is not BOOL, the dtypes of a and b differ or the shapes do
    ///     not broadcast
    public static Tensor where(Tensor condition, Tensor a, Tensor b) {
        return StaticOps.where(condition, a, b);
    }

    /// {@return a new tensor of several, one after another along an axis that they have} Gradient to each its part
    /// of `g`.
    ///
    /// @param axis the axis, negative ones counted from the back
    /// @param parts tensors of one dtype whose other axes are equal
    /// @throws IllegalArgumentException if there are none, dtypes or other axes differ, or the axis is out of range
    public static Tensor concat(int axis, Tensor... parts) {
        return StaticOps.concat(axis, parts);
    }

    /// {@return a new tensor of several of one shape, joined along a new axis} Gradient to each its part of `g`.
    ///
    /// @param axis the position of the new axis, negative ones counted from the back of the result
    /// @param parts tensors of one dtype and shape
    /// @throws IllegalArgumentException if there are none, dtypes or shapes differ, or the axis is out of range
    public static Tensor stack(int axis, Tensor... parts) {
        return StaticOps.stack(axis, parts);
    }

    /// {@return vectors stretched to a common grid: views, the i-th of which varies along axis i alone} That is
    /// `indexing="ij"` in NumPy and PyTorch. Gradient as of [ShapeOps#broadcastTo].
    ///
    /// @param axes the vectors, or scalars, which count as vectors of one element
    /// @throws IllegalArgumentException if there are none, or one has more than one axis
    public static List<Tensor> meshgrid(Tensor... axes) {
        return StaticOps.meshgrid(axes);
    }

    /// {@return the sum of products over the indices that an equation names, as NumPy's and PyTorch's einsum}
    ///
    /// An index is a letter. One that the output lacks is summed over, one that a term has twice takes the diagonal;
    /// `...` stands for further axes, which broadcast as those of size 1 do. Without `->` the output has the axes of
    /// the ellipsis and then, in alphabetical order, the indices that occur once.
    ///
    /// Pairs of tensors are contracted, each as one batch of matrix products, in the order of fewest multiplications;
    /// of more than four tensors, the pair with the smallest result first.
    /// **Gradient** as of [ProductOps#matmul].
    /// **Memory** a view where axes only move, else a new tensor; axes that are not next to each other in memory are
    /// copied to multiply as one.
    ///
    /// @param equation terms and, after `->`, the output: `bij,bjk->bik`; spaces do not count
    /// @param operands a tensor for each term, of one floating dtype
    /// @throws IllegalArgumentException if the equation is malformed, or the shapes or dtypes do not fit it
    public static Tensor einsum(String equation, Tensor... operands) {
        return EinsumOps.einsum(equation, operands);
    }

    /// {@return a new tensor, computed by an op of the caller's}
    ///
    /// **Shapes** the op's. **Gradient** by the op's rule, to inputs that are floating.
    /// **Memory** a new tensor in the innermost arena, of the first input's dtype; inputs that are not contiguous
    /// are copied for the call.
    ///
    /// @param op the op
    /// @param inputs its operands, the first of them of a floating dtype
    /// @throws IllegalArgumentException if there are no inputs or more than 30, or the op holds a tensor
    public static Tensor custom(CustomOp op, Tensor... inputs) {
        return StaticOps.custom(op, inputs);
    }

    private static int columns(float[][] rows) {
        int columns = rows.length == 0 ? 0 : rows[0].length;
        for (float[] row : rows) {
            if (row.length != columns) {
                throw new IllegalArgumentException(
                        "of: rows of " + columns + " and of " + row.length + " elements make no matrix");
            }
        }
        return columns;
    }
}
