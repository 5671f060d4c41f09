package org.toydiff;

import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.Map;

/// Regions in which products run in BFLOAT16 and losses in FLOAT32, whatever of the two their operands are: PyTorch's
/// `torch.autocast("cpu", torch.bfloat16)`.
///
/// ```java
/// Tensor loss;
/// try (var region = Autocast.bfloat16()) {
///     loss = crossEntropyLoss(net.forward(x), labels);
/// }
/// loss.backward(Release.EAGER);
/// optimizer.step();
/// ```
///
/// | ops | in a region |
/// |---|---|
/// | `matmul`, `linear`, `fma`, convolutions | cast FLOAT32 operands to BFLOAT16 and return that; sums are FLOAT32 |
/// | `scaledDotProductAttention` | the same; computed in FLOAT32 |
/// | `rnn`, `lstm`, `gru` | cast BFLOAT16 operands to FLOAT32 and return FLOAT32 |
/// | `crossEntropy`, the losses of `nn`, `prod`, `quantile` | cast BFLOAT16 operands to FLOAT32 and return FLOAT32 |
/// | `concat`, `stack`, `where`, arithmetic and comparisons of several tensors | cast BFLOAT16 beside FLOAT32 to that |
/// | `LayerNorm`, `BatchNorm1d` | compute in FLOAT32 and return the dtype of their input |
/// | all others, softmax, sums and activations among them | run in the dtype of their operand |
///
/// FLOAT64 and integers are left alone. Parameters stay FLOAT32, and so do their gradients and the optimizer's
/// state: the gradient of a cast is cast back. BFLOAT16 has the range of FLOAT32, so gradients do not underflow: a
/// loss needs no scaling (PyTorch's GradScaler).
///
/// **Memory** Activations are saved in BFLOAT16, half the bytes. A leaf that tracks gradients is cast once for each
/// region, and again after it has changed; that cast lives in the arena that was innermost then, until it closes. The
/// input of `linear`, where it tracks no gradient, is cast for the call and again in backward: no second copy is kept.
///
/// Backward may run inside a region or after it: its ops take the dtypes that forward had.
///
/// Source: `aten/src/ATen/autocast_mode.cpp` of PyTorch 2.13, `AutocastCPU`.
public final class Autocast {
    private Autocast() {}

    /// Begins a region of this thread in which products run in BFLOAT16.
    ///
    /// @return the region, to be closed on this thread; until it is, an arena around it cannot be closed
    public static Region bfloat16() {
        Scope scope = Scope.current();
        return scope.begin("autocast region", scope.casts == null ? new Casts(true) : scope.casts);
    }

    /// Begins a region in which no op casts, inside one of [#bfloat16()]: for a part that needs FLOAT32. Operands that
    /// the outer region made BFLOAT16 are cast by the caller.
    ///
    /// @return the region, to be closed on this thread; until it is, an arena around it cannot be closed
    public static Region disabled() {
        return Scope.current().begin("region without autocast", null);
    }

    /// Returns whether the innermost region of this thread is one of [#bfloat16()].
    ///
    /// @return whether products run in BFLOAT16
    public static boolean isEnabled() {
        return Scope.current().casts != null;
    }

    /// Returns the operand of an op that runs in FLOAT32 in a region, such as a loss of the caller's.
    ///
    /// **Gradient** that of [Tensor#cast(DType)].
    ///
    /// @param x an operand of any dtype
    /// @return a new FLOAT32 tensor if a region is open and x is BFLOAT16, else x
    public static Tensor toFloat32(Tensor x) {
        return x.dtype == DType.BFLOAT16 && isEnabled() ? x.cast(DType.FLOAT32) : x;
    }

    /// The dtype of a loss that is computed from operands of the given one without a cast of them.
    static DType ofLoss(DType operands) {
        return operands == DType.BFLOAT16 && isEnabled() ? DType.FLOAT32 : operands;
    }

    /// The operand of a product.
    static Tensor toBfloat16(Tensor x) {
        Casts casts = Scope.current().casts;
        return casts == null ? x : casts.toBfloat16(x);
    }

    /// The operands of an op that takes tensors of one dtype.
    static Tensor[] ofOneDType(Tensor[] some) {
        for (Tensor wide : some) {
            if (wide.dtype == DType.FLOAT32 && isEnabled()) {
                Tensor[] each = some.clone();
                Arrays.setAll(each, i -> beside(some[i], wide));
                return each;
            }
        }
        return some;
    }

    /// The operand of an op that takes tensors of one dtype, beside another operand.
    static Tensor beside(Tensor x, Tensor other) {
        return other.dtype == DType.FLOAT32 ? toFloat32(x) : x;
    }

    /// The casts to BFLOAT16 of a region, and those of leaves that it keeps.
    static final class Casts {
        private static final Rule BACK = Rule.readsNothing(g -> g.cast(DType.FLOAT32));

        /// The elements of a leaf's cast, outside of any graph, and the version of the leaf that they are those of.
        private record Kept(Tensor cast, int version) {
            boolean isOf(Tensor leaf) {
                return version == leaf.storage.version && cast.storage.alive() && !cast.storage.isFreed();
            }
        }

        /// Whether backward leaves kept casts alone: several graphs may share one.
        private final boolean pinned;

        private final Map<Tensor, Kept> kept = new IdentityHashMap<>();

        Casts(boolean pinned) {
            this.pinned = pinned;
        }

        /// The operand of a product. Each use of a kept cast is a view with a node of its own, so that a graph that
        /// backward releases does not release others.
        Tensor toBfloat16(Tensor x) {
            if (x.dtype != DType.FLOAT32) {
                return x;
            }
            if (!x.leaf) {
                return x.cast(DType.BFLOAT16);
            }
            Kept known = kept.get(x);
            if (known == null || !known.isOf(x)) {
                known = new Kept(Families.cast(x, DType.BFLOAT16), x.storage.version);
                known.cast.storage.pinned = pinned;
                kept.put(x, known);
            }
            Tensor y = known.cast.view();
            return Tensor.recorded(x) ? y.record("cast", null, BACK, x) : y;
        }
    }
}
