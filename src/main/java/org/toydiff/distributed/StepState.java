package org.toydiff.distributed;

/// The progress of a step of [DataParallel], which decides which calls are allowed.
enum StepState {
    NONE,
    IN_BACKWARD,

    /// The gradients of all shards are added up.
    SUMMED,
    STEPPING,
    FAILED,
    CLOSED;

    void requireSummed(String op) {
        requireUsable(op);
        if (this != SUMMED) {
            throw new IllegalStateException("DataParallel: " + op + " needs summed gradients; call backward before");
        }
    }

    void requireUsable(String op) {
        if (this == CLOSED) {
            throw new IllegalStateException("DataParallel: " + op + ": it is closed");
        }
        requireOutsideBackward(op);
        if (this == FAILED) {
            throw new IllegalStateException(
                    "DataParallel: " + op + ": an earlier call has failed in the middle, and the"
                            + " processes are not in step any more; end the program and resume from a checkpoint");
        }
    }

    void requireOutsideBackward(String op) {
        if (this == IN_BACKWARD) {
            throw new IllegalStateException(
                    "DataParallel: " + op + ": backward is under way; call this after it, not in"
                            + " the loss of a shard, and on one thread at a time");
        }
    }
}
