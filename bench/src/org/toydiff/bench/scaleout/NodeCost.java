package org.toydiff.bench.scaleout;

/// The times of a training step on one node, in seconds.
///
/// @param forward the forward pass over the node's batch
/// @param backward the backward pass
/// @param update the optimizer's update of all parameters
/// @param fixedPart the part of both passes that takes as long for a smaller batch, from 0 to 1
/// @param sumPerByte the time in which a byte of a gradient is added to another one
record NodeCost(double forward, double backward, double update, double fixedPart, double sumPerByte) {
    NodeCost {
        if (!(forward >= 0 && backward >= 0 && update >= 0 && sumPerByte >= 0 && fixedPart >= 0 && fixedPart <= 1)) {
            throw new IllegalArgumentException("forward " + forward + ", backward " + backward + ", update " + update
                    + " and sum " + sumPerByte + " must not be negative, fixed part " + fixedPart
                    + " within 0 and 1");
        }
    }

    /// Returns the time of the forward pass over a part of the batch.
    double forward(double part) {
        return forward * scale(part);
    }

    /// Returns the time of the backward pass over a part of the batch.
    double backward(double part) {
        return backward * scale(part);
    }

    private double scale(double part) {
        return fixedPart + (1 - fixedPart) * part;
    }
}
