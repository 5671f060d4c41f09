package org.toydiff.data;

/// Where an iteration gets its batches, in their order.
interface BatchSource {
    /// The batch that begins at a position; the one before it is no longer needed.
    Batch next(long position);

    /// Ends whatever makes batches, and frees its memory.
    void close();
}
