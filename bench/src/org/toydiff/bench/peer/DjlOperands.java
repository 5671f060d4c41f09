package org.toydiff.bench.peer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// DJL's side of the common numbers.
public final class DjlOperands {
    private DjlOperands() {}

    /// Tells DJL to use every core and not the network. Must come before its engine is loaded.
    static void settings() {
        String cores = Integer.toString(Runtime.getRuntime().availableProcessors());
        System.setProperty("ai.djl.pytorch.num_threads", cores);
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
    }

    /// The owner of arrays.
    ///
    /// @return a new manager of DJL's PyTorch engine
    public static NDManager manager() {
        settings();
        return NDManager.newBaseManager("PyTorch");
    }

    /// Inputs, filled through direct memory so that the memory workload finds no garbage of their size.
    ///
    /// @param manager who owns them
    /// @param shape the size of each axis
    /// @return a new array
    public static NDArray inputs(NDManager manager, long... shape) {
        Shape sizes = new Shape(shape);
        ByteBuffer bytes = ByteBuffer.allocateDirect(Math.toIntExact(sizes.size() * Float.BYTES))
                .order(ByteOrder.nativeOrder());
        for (int i = 0; i < sizes.size(); i++) {
            bytes.putFloat(i * Float.BYTES, Numbers.input(i));
        }
        return manager.create(bytes, sizes, DataType.FLOAT32);
    }
}
