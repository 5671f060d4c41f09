package org.toydiff.data;

import java.lang.foreign.MemorySegment;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Memory for one batch, reused for the next.
final class BatchBuffer {
    private Buffer x;
    private Buffer y;

    /// Copies a batch here, and allocates memory in `home` where it is missing, too small or freed.
    ///
    /// @return the copies
    Batch fill(TensorArena home, Batch batch) {
        x = Buffer.of(x, home, batch.x());
        y = Buffer.of(y, home, batch.y());
        return new Batch(x.hold(batch.x()), y.hold(batch.y()));
    }

    /// Elements along one axis, for a tensor of any shape. Because its segment was handed out, [Tensor#moveTo] of a
    /// batch copies, and so leaves the block here.
    private record Buffer(Tensor elements, MemorySegment segment) {
        static Buffer of(Buffer last, TensorArena home, Tensor tensor) {
            boolean usable = last != null
                    && last.elements.dtype() == tensor.dtype()
                    && last.segment.scope().isAlive()
                    && last.segment.isAccessibleBy(Thread.currentThread());
            if (usable && last.elements.size() >= tensor.size()) {
                return last;
            }
            // An outgrown block is only freed when the arena closes, so the size doubles.
            long size = usable ? Math.max(tensor.size(), 2 * last.elements.size()) : tensor.size();
            Tensor elements = Tensor.empty(home, tensor.dtype(), size);
            return new Buffer(elements, elements.segment());
        }

        Tensor hold(Tensor tensor) {
            return elements.slice(0, 0, tensor.size()).reshape(tensor.shape()).copyFrom(tensor);
        }
    }
}
