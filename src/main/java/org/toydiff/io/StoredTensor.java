package org.toydiff.io;

import java.util.Arrays;
import org.toydiff.DType;

/// What the header of a safetensors file says about a tensor.
///
/// @param dtype the format's name of its dtype, which may be one that is not known here
/// @param begin its first byte, counted from the end of the header
/// @param end one past its last byte
record StoredTensor(String name, String dtype, long[] shape, long begin, long end) {
    /// The same dtype here, or null.
    DType toydiffType() {
        return StoredType.named(dtype).map(type -> type.dtype).orElse(null);
    }

    /// What is wrong with shape and offsets, or null. What a dtype that is not known takes cannot be told.
    String problem() {
        if (begin > end) {
            return "data_offsets [" + begin + ", " + end + "] end before they begin";
        }
        StoredType type = StoredType.named(dtype).orElse(null);
        if (type == null) {
            return null;
        }
        long bits = bits(type);
        if (bits < 0) {
            return "shape " + Arrays.toString(shape) + " has more bits than a long can count";
        }
        if (bits % Byte.SIZE != 0) {
            return "shape " + Arrays.toString(shape) + " of " + dtype + " does not end at a whole byte";
        }
        if (bits / Byte.SIZE != end - begin) {
            return "shape " + Arrays.toString(shape) + " of " + dtype + " takes " + bits / Byte.SIZE
                    + " bytes, and data_offsets [" + begin + ", " + end + "] give it " + (end - begin);
        }
        return null;
    }

    /// The bits of all elements, or −1 beyond what a long can count.
    private long bits(StoredType type) {
        if (Arrays.stream(shape).anyMatch(n -> n == 0)) {
            return 0;
        }
        long bits = type.bits;
        for (long n : shape) {
            if (n > Long.MAX_VALUE / bits) {
                return -1;
            }
            bits *= n;
        }
        return bits;
    }
}
