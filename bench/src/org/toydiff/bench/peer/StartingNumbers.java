package org.toydiff.bench.peer;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// The numbers that every peer starts from, whatever its language; `bench/peers/peer.py` has the same formulas.
public final class StartingNumbers {
    /// Layer sizes of the training step that is compared.
    public static final int[] STEP_WIDTHS = {784, 512, 256, 10};

    /// Layer sizes of the net whose memory is compared.
    public static final int[] MEMORY_WIDTHS = {784, 1024, 1024, 1024, 10};

    /// Layer sizes of the net whose first steps are compared.
    public static final int[] STARTUP_WIDTHS = {64, 64, 10};

    /// The learning rate of SGD.
    public static final double SGD_RATE = 0.01;

    /// The momentum of SGD.
    public static final double MOMENTUM = 0.9;

    /// The learning rate of Adam.
    public static final double ADAM_RATE = 1e-3;

    private static final double RANGE = 1L << 32;

    private StartingNumbers() {}

    /// Returns element i of a weight `[out, in]`, in row-major order.
    ///
    /// @param layer the layer, counted from 0
    /// @param i the position
    /// @param in the number of inputs of the layer
    /// @return the weight
    public static float weight(int layer, long i, int in) {
        double fraction = (i * 2654435761L + layer * 40503L & 0xFFFFFFFFL) / RANGE;
        return (float) ((fraction - 0.5) * 2 / Math.sqrt(in));
    }

    /// Returns element i of the inputs, in row-major order.
    ///
    /// @param i the position
    /// @return the input, in [0, 1)
    public static float input(long i) {
        return (float) ((i * 2246822519L & 0xFFFFFFFFL) / RANGE);
    }

    /// Returns the label of a row.
    ///
    /// @param row the row
    /// @return 0 to 9
    public static int label(int row) {
        return row * 7 % 10;
    }

    /// Writes inputs to off-heap memory. Neither this method nor those below use an array, whose garbage would
    /// change the memory and heap that are measured.
    ///
    /// @param segment the memory to write
    /// @param count the number of floats
    public static void writeInputs(MemorySegment segment, long count) {
        for (long i = 0; i < count; i++) {
            segment.setAtIndex(ValueLayout.JAVA_FLOAT, i, input(i));
        }
    }

    /// Writes labels to off-heap memory.
    ///
    /// @param segment the memory to write
    /// @param rows the number of ints
    public static void writeLabels(MemorySegment segment, int rows) {
        for (int row = 0; row < rows; row++) {
            segment.setAtIndex(ValueLayout.JAVA_INT, row, label(row));
        }
    }

    /// Writes the weight of a layer to off-heap memory.
    ///
    /// @param segment the memory to write
    /// @param layer the layer, counted from 0
    /// @param in the number of inputs of the layer
    /// @param out the number of outputs of the layer
    public static void writeWeight(MemorySegment segment, int layer, int in, int out) {
        for (long i = 0; i < (long) in * out; i++) {
            segment.setAtIndex(ValueLayout.JAVA_FLOAT, i, weight(layer, i, in));
        }
    }
}
