package org.toydiff.bench.peer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/// The starting numbers as arrays of DJL.
public final class DjlOperands {
    private DjlOperands() {}

    /// Sets DJL to use every core and not the network. It must be called before DJL's engine is loaded.
    static void settings() {
        String cores = Integer.toString(Runtime.getRuntime().availableProcessors());
        System.setProperty("ai.djl.pytorch.num_threads", cores);
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
    }

    /// Creates an owner of arrays.
    ///
    /// @return a new manager of DJL's PyTorch engine
    public static NDManager manager() {
        settings();
        return NDManager.newBaseManager("PyTorch");
    }

    /// Creates inputs.
    ///
    /// @param manager the owner of the array
    /// @param shape the size of each axis
    /// @return a new array
    public static NDArray inputs(NDManager manager, long... shape) {
        Shape sizes = new Shape(shape);
        ByteBuffer bytes = direct(sizes.size());
        StartingNumbers.writeInputs(MemorySegment.ofBuffer(bytes), sizes.size());
        return manager.create(bytes, sizes, DataType.FLOAT32);
    }

    static NDArray labels(NDManager manager, int rows) {
        ByteBuffer bytes = direct(rows);
        StartingNumbers.writeLabels(MemorySegment.ofBuffer(bytes), rows);
        return manager.create(bytes, new Shape(rows), DataType.INT32).toType(DataType.INT64, false);
    }

    static FloatBuffer weight(int layer, int in, int out) {
        ByteBuffer bytes = direct((long) in * out);
        StartingNumbers.writeWeight(MemorySegment.ofBuffer(bytes), layer, in, out);
        return bytes.asFloatBuffer();
    }

    static FloatBuffer zeros(int count) {
        return direct(count).asFloatBuffer();
    }

    private static ByteBuffer direct(long elements) {
        return ByteBuffer.allocateDirect(Math.toIntExact(elements * Float.BYTES))
                .order(ByteOrder.nativeOrder());
    }
}
