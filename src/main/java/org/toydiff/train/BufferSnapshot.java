package org.toydiff.train;

import java.util.ArrayList;
import java.util.List;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.nn.Layer;

/// A copy of the buffers of a model before a step: running means for instance, which forward changes.
final class BufferSnapshot {
    private final List<Tensor> buffers;
    private final List<Tensor> copies = new ArrayList<>();

    /// Allocates the copies in an arena.
    BufferSnapshot(Layer model, TensorArena home) {
        this.buffers = List.copyOf(model.namedBuffers().values());
        buffers.forEach(buffer -> copies.add(buffer.copyTo(home)));
    }

    /// Copies the buffers.
    void copy() {
        for (int i = 0; i < buffers.size(); i++) {
            copies.get(i).copyFrom(buffers.get(i));
        }
    }

    /// Restores the buffers from the copies.
    void restore() {
        for (int i = 0; i < buffers.size(); i++) {
            buffers.get(i).copyFrom(copies.get(i));
        }
    }
}
