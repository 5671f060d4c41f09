package org.toydiff.fuzz;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Neighbours with known contents on both sides of free blocks: what is made next is put between them, and whoever
/// writes past its own block is found out.
final class Comb {
    private static final float VALUE = 0.6180339f;
    private static final int TEETH = 6;

    /// In elements of FLOAT32; the smallest blocks are the ones that most tensors of a program take.
    private static final int[] SIZES = {16, 16, 32, 48, 64, 128};

    private final List<Tensor> teeth = new ArrayList<>();

    /// Made in an arena that must be innermost, and live as long as it.
    Comb(TensorArena arena) {
        try (var gaps = TensorArena.ofConfined()) {
            for (int size : SIZES) {
                for (int i = 0; i < TEETH; i++) {
                    teeth.add(Tensor.full(arena, DType.FLOAT32, VALUE, size));
                    Tensor.empty(size);
                }
            }
        }
    }

    void requireWhole() {
        for (Tensor tooth : teeth) {
            float[] values = tooth.toFloatArray();
            for (int i = 0; i < values.length; i++) {
                if (values[i] != VALUE) {
                    throw new Finding("a neighbour was overwritten: element " + i + " of a tensor "
                            + Arrays.toString(tooth.shape()) + " that nobody uses is " + values[i]);
                }
            }
        }
    }
}
