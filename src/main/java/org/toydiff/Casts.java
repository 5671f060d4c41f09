package org.toydiff;

import java.util.IdentityHashMap;
import java.util.Map;

/// The casts to BFLOAT16 of an [Autocast] region, and those of leaves that it keeps.
final class Casts {
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
