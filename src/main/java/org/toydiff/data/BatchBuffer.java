package org.toydiff.data;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Memory for one batch, reused for the next.
final class BatchBuffer {
    private Buffer x;
    private Buffer y;
    private Batch last;

    /// Copies a batch here, and allocates memory in `home` where it is missing, too small or freed.
    ///
    /// @return the copies
    Batch fill(TensorArena home, Batch batch) {
        Buffer forX = Buffer.of(x, home, batch.x());
        Buffer forY = Buffer.of(y, home, batch.y());
        boolean again = forX == x && forY == y && isLike(last.x(), batch.x()) && isLike(last.y(), batch.y());
        x = forX;
        y = forY;
        if (!again) {
            last = new Batch(x.view(batch.x()), y.view(batch.y()));
        }
        last.x().copyFrom(batch.x());
        last.y().copyFrom(batch.y());
        return last;
    }

    /// Whether a tensor of the last batch serves for another one: the caller may have let it track gradients.
    private static boolean isLike(Tensor last, Tensor tensor) {
        return Arrays.equals(last.shape(), tensor.shape()) && !last.tracksGradient() && !last.hasGradient();
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

        /// Returns the first elements, in the shape of a tensor.
        Tensor view(Tensor tensor) {
            return elements.slice(0, 0, tensor.size()).reshape(tensor.shape());
        }
    }
}
