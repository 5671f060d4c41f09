package org.toydiff;

import org.toydiff.internal.launch.Shape;

/// Elements that are one place in memory, which matters where something is written in place.
final class Overlap {
    private Overlap() {}

    /// Whether some elements of a tensor are one. No view overlaps in another way than by a stretched axis.
    static boolean within(Tensor t) {
        boolean stretched = false;
        for (int i = 0; i < t.rank(); i++) {
            stretched |= t.shape[i] > 1 && t.strides[i] == 0;
        }
        return stretched && !Shape.empty(t.shape);
    }

    /// Whether two tensors lie in parts of memory that meet, whichever arena or wrapped segment they are seen through;
    /// what lies between the elements of a view counts, too. One that is null or has no memory meets nothing.
    static boolean between(Tensor a, Tensor b) {
        return occupies(a) && occupies(b) && begin(a) < end(b) && begin(b) < end(a);
    }

    private static boolean occupies(Tensor t) {
        return t != null && !t.storage.shapeOnly() && !Shape.empty(t.shape);
    }

    private static long begin(Tensor t) {
        return t.storage.segment().address() + t.offset * t.dtype.bytes();
    }

    private static long end(Tensor t) {
        return begin(t) + (Shape.last(t.shape, t.strides) + 1) * t.dtype.bytes();
    }
}
