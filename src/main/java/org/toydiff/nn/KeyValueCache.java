package org.toydiff.nn;

import java.util.Arrays;
import java.util.function.LongSupplier;
import org.toydiff.CompiledFunction;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// The keys and values of earlier positions, kept so that a new position attends to them without computing them again.
///
/// ```java
/// var cache = new KeyValueCache(1, 8, 1024, 64);
/// try (var inference = Autograd.noGradient()) {
///     while (cache.length() < cache.maxLength()) {
///         cache.append(keysOf(token), valuesOf(token));
///         token = next(cache.attend(queriesOf(token)));
///     }
/// }
/// ```
///
/// **Memory** two blocks for the maximum length, allocated by the constructor in the innermost arena; appending copies
/// the new positions alone, and attention reads the filled part where it lies.
///
/// Keys and values are copied without their graph: a cache is for inference. A [CompiledFunction] that appends to a
/// cache is recorded again for each length; leave generation out of one.
public final class KeyValueCache {
    private static final int POSITIONS = 2;

    private final Tensor keys;
    private final Tensor values;
    private long length;

    /// The state on which compiled functions depend: one object for all calls.
    private final LongSupplier state = this::filled;

    /// Creates an empty FLOAT32 cache.
    ///
    /// @param batch the number of examples N
    /// @param heads the number of heads of keys and values H
    /// @param maxLength the maximum number of positions
    /// @param size the size of a key and of a value
    /// @throws IllegalArgumentException if a size is not positive
    public KeyValueCache(long batch, long heads, long maxLength, long size) {
        this(DType.FLOAT32, batch, heads, maxLength, size, size);
    }

    /// Creates an empty cache.
    ///
    /// @param dtype the floating dtype of keys and values
    /// @param batch the number of examples N
    /// @param heads the number of heads of keys and values H
    /// @param maxLength the maximum number of positions
    /// @param keySize the size of a key
    /// @param valueSize the size of a value
    /// @throws IllegalArgumentException if a size is not positive, or the dtype is not floating
    public KeyValueCache(DType dtype, long batch, long heads, long maxLength, long keySize, long valueSize) {
        if (!dtype.isFloating()
                || Math.min(Math.min(batch, heads), Math.min(maxLength, Math.min(keySize, valueSize))) <= 0) {
            throw new IllegalArgumentException("KeyValueCache: " + dtype + ", batch " + batch + ", heads " + heads
                    + ", maxLength " + maxLength + ", keySize " + keySize + " and valueSize " + valueSize
                    + "; give a floating dtype and positive sizes");
        }
        keys = Tensor.zeros(dtype, batch, heads, maxLength, keySize);
        values = Tensor.zeros(dtype, batch, heads, maxLength, valueSize);
    }

    private long filled() {
        return length;
    }

    /// {@return the number of positions so far}
    public long length() {
        CompiledFunction.dependOn(state);
        return length;
    }

    /// {@return the maximum number of positions}
    public long maxLength() {
        return keys.size(POSITIONS);
    }

    /// Removes all positions; the memory stays allocated.
    public void clear() {
        setLength(0);
    }

    /// Appends the keys and values of the next positions.
    ///
    /// @param key the keys `[N, H, T, E]`, of the cache's dtype, or `[H, T, E]` of one example
    /// @param value the values `[N, H, T, V]`, or `[H, T, V]`
    /// @throws IllegalArgumentException if shapes or dtypes do not fit
    /// @throws IllegalStateException if there is no room for so many positions
    public void append(Tensor key, Tensor value) {
        CompiledFunction.dependOn(state);
        Tensor k = ofBatch(key);
        Tensor v = ofBatch(value);
        requireFits(k, v);
        long end = length + k.size(POSITIONS);
        if (end > maxLength()) {
            throw new IllegalStateException("KeyValueCache: " + k.size(POSITIONS) + " positions after " + length
                    + " do not fit into " + maxLength() + "; make a longer cache, or clear it");
        }
        keys.slice(POSITIONS, length, end).copyFrom(k.detach());
        values.slice(POSITIONS, length, end).copyFrom(v.detach());
        setLength(end);
    }

    private void setLength(long positions) {
        CompiledFunction.onEachRun("length of the cache", () -> length = positions);
    }

    private void requireFits(Tensor key, Tensor value) {
        long[] keyShape = keys.shape().clone();
        long[] valueShape = values.shape().clone();
        boolean fits = key.rank() == 4 && key.dtype() == keys.dtype() && value.dtype() == values.dtype();
        keyShape[POSITIONS] = fits ? key.size(POSITIONS) : 0;
        valueShape[POSITIONS] = keyShape[POSITIONS];
        if (!fits || !Arrays.equals(key.shape(), keyShape) || !Arrays.equals(value.shape(), valueShape)) {
            throw new IllegalArgumentException("KeyValueCache: keys " + key.dtype() + " "
                    + Arrays.toString(key.shape()) + " and values " + value.dtype() + " "
                    + Arrays.toString(value.shape()) + " do not follow those of " + keys.dtype() + " "
                    + Arrays.toString(keys.shape()) + " and " + Arrays.toString(values.shape()) + " along axis 2");
        }
    }

    private void requireQueries(Tensor query) {
        boolean fits = query.rank() == 4
                && query.size(0) == keys.size(0)
                && query.size(1) % keys.size(1) == 0
                && query.size(-1) == keys.size(-1);
        if (!fits) {
            throw new IllegalArgumentException("KeyValueCache: queries " + Arrays.toString(query.shape())
                    + " do not fit keys " + Arrays.toString(keys.shape())
                    + "; they have its examples, a multiple of its heads, and its size of a key");
        }
        if (query.size(POSITIONS) > length()) {
            throw new IllegalStateException("KeyValueCache: there are " + query.size(POSITIONS) + " queries and "
                    + length() + " positions; append the keys and values of the queries before attending to them");
        }
    }

    /// Attends from the last positions appended to all of them: the last query sees every position, and each one
    /// before it one less.
    ///
    /// @param query the queries `[N, Hq, T, E]`, where Hq is a multiple of the cache's heads, each of which serves
    ///     several successive heads of queries; or `[Hq, T, E]` of one example
    /// @return a new tensor `[N, Hq, T, V]`, or `[Hq, T, V]`
    /// @throws IllegalArgumentException if shapes or dtypes do not fit
    /// @throws IllegalStateException if there are fewer positions than queries
    public Tensor attend(Tensor query) {
        Tensor q = ofBatch(query);
        requireQueries(q);
        double scale = 1 / Math.sqrt(keys.size(-1));
        Tensor y =
                q.scaledDotProductAttention(keys(), values(), null, 0, Tensor.CausalVariant.LOWER_RIGHT, scale, true);
        return query.rank() == 3 ? y.squeeze(0) : y;
    }

    /// {@return the keys so far `[N, H, length, E]`: a view, which changes when the cache is cleared and filled
    /// again}
    public Tensor keys() {
        return keys.slice(POSITIONS, 0, length());
    }

    /// {@return the values so far `[N, H, length, V]`: a view, as [#keys()]}
    public Tensor values() {
        return values.slice(POSITIONS, 0, length());
    }

    @Override
    public String toString() {
        return "KeyValueCache(length=" + length + ", keys=" + Arrays.toString(keys.shape()) + ", values="
                + Arrays.toString(values.shape()) + ")";
    }

    private static Tensor ofBatch(Tensor x) {
        return x.rank() == 3 ? x.unsqueeze(0) : x;
    }
}
