package org.toydiff.io;

import java.util.Arrays;
import java.util.Optional;
import org.toydiff.DType;

/// The element types of safetensors in the order of the reference implementation, by ascending alignment: it
/// stores tensors of the last one first. Source:
/// https://docs.rs/safetensors/latest/safetensors/tensor/enum.Dtype.html
enum SafeTensorsType {
    BOOL(8, StoredType.BOOL),
    F4(4),
    F6_E2M3(6),
    F6_E3M2(6),
    U8(8, StoredType.UINT8),
    I8(8, StoredType.INT8),
    F8_E5M2(8),
    F8_E4M3(8),
    F8_E8M0(8),
    F8_E4M3FNUZ(8),
    F8_E5M2FNUZ(8),
    I16(16, StoredType.INT16),
    U16(16, StoredType.UINT16),
    F16(16, StoredType.FLOAT16),
    BF16(16, StoredType.BFLOAT16),
    I32(32, StoredType.INT32),
    U32(32, StoredType.UINT32),
    F32(32, StoredType.FLOAT32),
    C64(64),
    F64(64, StoredType.FLOAT64),
    I64(64, StoredType.INT64),
    U64(64, StoredType.UINT64);

    final int bits;

    /// The type of its elements, or null if they cannot be read.
    final StoredType stored;

    SafeTensorsType(int bits) {
        this(bits, null);
    }

    SafeTensorsType(int bits, StoredType stored) {
        this.bits = bits;
        this.stored = stored;
    }

    /// Returns the type in which tensors of a dtype are written.
    static SafeTensorsType of(DType dtype) {
        return Arrays.stream(values())
                .filter(type -> type.stored == StoredType.of(dtype))
                .findFirst()
                .orElseThrow();
    }

    /// Returns the type of a name; empty for one that a later version of the format added.
    static Optional<SafeTensorsType> named(String name) {
        return Arrays.stream(values()).filter(type -> type.name().equals(name)).findFirst();
    }
}
