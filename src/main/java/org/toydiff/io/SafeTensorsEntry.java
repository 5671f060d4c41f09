package org.toydiff.io;

import java.util.Arrays;

/// The header's entry of a tensor in a safetensors file.
///
/// @param dtype the format's name of its dtype, possibly one unknown here
/// @param begin the offset of its first byte, counted from the end of the header
/// @param end the offset after its last byte
record SafeTensorsEntry(String name, String dtype, long[] shape, long begin, long end) {
    /// Returns the type of its elements, or null if they cannot be read.
    StoredType storedType() {
        return SafeTensorsType.named(dtype).map(type -> type.stored).orElse(null);
    }

    /// Returns the problem with shape and offsets, or null. The size of an unknown dtype cannot be checked.
    String problem() {
        if (begin > end) {
            return "data_offsets [" + begin + ", " + end + "] end before they begin";
        }
        SafeTensorsType type = SafeTensorsType.named(dtype).orElse(null);
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

    /// Returns the bits of all elements, or −1 if a long cannot count them.
    private long bits(SafeTensorsType type) {
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
