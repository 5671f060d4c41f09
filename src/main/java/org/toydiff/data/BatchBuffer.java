package org.toydiff.data;

import java.lang.foreign.MemorySegment;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Memory for one batch, used again for each that comes to it.
final class BatchBuffer {
    private Room x;
    private Room y;

    /// Copies a batch here. Memory that is missing, too small or no longer there is made anew in `home`.
    ///
    /// @return the copies
    Batch fill(TensorArena home, Batch batch) {
        x = Room.of(x, home, batch.x());
        y = Room.of(y, home, batch.y());
        return new Batch(x.hold(batch.x()), y.hold(batch.y()));
    }

    /// Elements in a row, for a tensor of any shape. Having handed out the segment also keeps the block here:
    /// [Tensor#moveTo] of a batch copies it.
    private record Room(Tensor elements, MemorySegment segment) {
        static Room of(Room last, TensorArena home, Tensor tensor) {
            boolean usable = last != null
                    && last.elements.dtype() == tensor.dtype()
                    && last.segment.scope().isAlive()
                    && last.segment.isAccessibleBy(Thread.currentThread());
            if (usable && last.elements.size() >= tensor.size()) {
                return last;
            }
            // What is outgrown stays until the arena closes, so it grows by doubling.
            long size = usable ? Math.max(tensor.size(), 2 * last.elements.size()) : tensor.size();
            Tensor elements = Tensor.empty(home, tensor.dtype(), size);
            return new Room(elements, elements.segment());
        }

        Tensor hold(Tensor tensor) {
            return elements.slice(0, 0, tensor.size()).reshape(tensor.shape()).copyFrom(tensor);
        }
    }
}
