package org.toydiff.bench.scaleout;

/// A model of a data-parallel training step whose nodes divide the optimizer's state.
///
/// The global batch is divided into shards, and every node computes its shards one after another. During the backward
/// pass of its last shard, gradients become complete bucket by bucket, at an even rate. A thread of its own sends each
/// bucket, the earliest first: by `MPI_Alltoall` every node receives the slice of a bucket that it owns from all nodes,
/// and sums it. After that each node updates its slices of the parameters, and `MPI_Allgather` gives them to all.
///
/// The model has equal nodes of one rank each on links that do not share bandwidth, and communication that takes no
/// processor time but that of sums.
///
/// @param node the times on one node
/// @param gradientBytes the size of all gradients, and of all parameters
/// @param bucketBytes the size of a bucket
/// @param shards the shards of the global batch; 0 for one on each node
/// @param weak whether the global batch grows with the nodes (weak scaling) or is that of one node (strong scaling)
record StepModel(NodeCost node, double gradientBytes, double bucketBytes, int shards, boolean weak) {
    /// The size of a bucket of `DataParallel`.
    static final double BUCKET_BYTES = 1 << 21;

    StepModel {
        if (!(gradientBytes > 0 && bucketBytes > 0) || shards < 0) {
            throw new IllegalArgumentException("gradients of " + gradientBytes + " B in buckets of " + bucketBytes
                    + " B from " + shards + " shards; sizes must be positive, shards not negative");
        }
    }

    /// The parts of a step, in seconds.
    ///
    /// @param passes forward and backward of all shards of a node
    /// @param communication all communication and its sums
    /// @param exposed the part of that in which nothing else goes on
    /// @param update the update of a node's slices
    record Time(double passes, double communication, double exposed, double update) {
        double step() {
            return passes + exposed + update;
        }
    }

    /// Returns the time of a step.
    Time time(Network network, int nodes) {
        int all = shards == 0 ? nodes : shards;
        int own = Math.ceilDiv(all, nodes);
        double part = (weak ? nodes : 1.0) / all;
        double passes = own * (node.forward(part) + node.backward(part));
        int buckets = (int) Math.ceil(gradientBytes / bucketBytes);
        double bytes = gradientBytes / buckets;
        double sums = (nodes - 1) * bytes / nodes * node.sumPerByte();
        double reduce = network.collective(nodes, bytes) + sums;
        double gather = buckets * network.collective(nodes, bytes);
        double reduced = end(passes, node.backward(part), buckets, reduce);
        return new Time(passes, buckets * reduce + gather, reduced - passes + gather, node.update() / nodes);
    }

    /// Returns when the last bucket has been reduced, counted from the start of the step.
    private static double end(double passes, double backward, int buckets, double reduce) {
        double end = 0;
        for (int i = 1; i <= buckets; i++) {
            double complete = passes - backward + backward * i / buckets;
            end = Math.max(end, complete) + reduce;
        }
        return end;
    }

    /// Returns how many times the samples of one node are trained on in the same time.
    double speedUp(Network network, int nodes) {
        double more = weak ? nodes : 1;
        return more * time(network, 1).step() / time(network, nodes).step();
    }

    /// Returns the speed-up over the number of nodes. Under weak scaling it can exceed 1, because the nodes divide an
    /// update whose size does not grow.
    double efficiency(Network network, int nodes) {
        return speedUp(network, nodes) / nodes;
    }
}
