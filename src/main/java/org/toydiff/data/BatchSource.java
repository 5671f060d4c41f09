package org.toydiff.data;

/// The source of an iteration's batches, in order.
interface BatchSource {
    /// Returns the batch that begins at a position. The batch before it is no longer needed.
    Batch next(long position);

    /// Stops making batches and frees their memory.
    void close();
}
