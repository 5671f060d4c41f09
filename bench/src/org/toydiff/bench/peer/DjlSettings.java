package org.toydiff.bench.peer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// How DJL runs here: on every core, without the network.
final class DjlSettings {
    private DjlSettings() {}

    /// Must come before DJL's engine is loaded.
    static void apply() {
        String cores = Integer.toString(Runtime.getRuntime().availableProcessors());
        System.setProperty("ai.djl.pytorch.num_threads", cores);
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
    }

    /// Filled in pieces through direct memory, so that the memory workload finds no garbage of their size.
    static NDArray inputs(NDManager manager, Shape shape) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(Math.toIntExact(shape.size() * Float.BYTES))
                .order(ByteOrder.nativeOrder());
        for (int i = 0; i < shape.size(); i++) {
            bytes.putFloat(i * Float.BYTES, Numbers.input(i));
        }
        return manager.create(bytes, shape, DataType.FLOAT32);
    }
}
