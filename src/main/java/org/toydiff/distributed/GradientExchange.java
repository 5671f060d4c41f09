package org.toydiff.distributed;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.internal.mpi.Transfer;

/// Sends gradients, bucket by bucket, while backward goes on, and the updated parameters after the step.
final class GradientExchange {
    /// Two buckets may be on their way, each in its own memory.
    static final int ON_THE_WAY = 2;

    private final Layout layout;
    private final List<Tensor> parameters;
    private final Map<Tensor, Integer> numbers = new IdentityHashMap<>();
    private final int rank;
    private final Processes processes;
    private final ShardSums sums;
    private final List<BucketExchange> buckets = new ArrayList<>();
    private final BucketExchange[] bucketOf;

    /// The elements of each rank of each parameter.
    private final Tensor[][] parts;

    /// The gradients to send, of a parameter, or null.
    private final IntFunction<Tensor> gradients;

    /// Whether the gradient of each parameter is complete, and the bucket that is sent next.
    private final boolean[] complete;

    private int next;

    /// Throw in all processes if one calls something else, whose data would be taken for these. Each comes right
    /// before the data: a process may call a collective in the loss of a shard, where the others do not.
    private final Transfer gradientAgreement;

    private final Transfer stepAgreement;

    private final Transfer stateAgreement;

    /// @param gradients the gradient of a parameter that backward has completed, or null for none
    GradientExchange(
            Layout layout, List<Tensor> parameters, int rank, Processes processes, IntFunction<Tensor> gradients) {
        this.layout = layout;
        this.parameters = parameters;
        this.rank = rank;
        this.processes = processes;
        this.gradients = gradients;
        this.sums = new ShardSums(layout, parameters, rank);
        this.complete = new boolean[parameters.size()];
        this.parts = new Tensor[parameters.size()][];
        for (int i = 0; i < parts.length; i++) {
            numbers.put(parameters.get(i), i);
            parts[i] = sums.parts(i, parameters.get(i));
        }
        this.gradientAgreement = processes.agreement("DataParallel.backward", "");
        this.stepAgreement = processes.agreement("DataParallel.step", "");
        this.stateAgreement = processes.agreement("Optimizer.stateDict", "");
        this.bucketOf = new BucketExchange[parts.length];
        makeBuckets();
    }

    private void makeBuckets() {
        List<BucketExchange.Staging> staging = new ArrayList<>();
        for (int i = 0; i < ON_THE_WAY; i++) {
            staging.add(processes.isAlone() ? null : BucketExchange.Staging.of(layout, TensorArena.innermost()));
        }
        for (Layout.Bucket bucket : layout.buckets) {
            var made = new BucketExchange(layout, bucket, rank, staging.get(buckets.size() % ON_THE_WAY));
            Arrays.fill(bucketOf, bucket.first(), bucket.last() + 1, made);
            buckets.add(made);
        }
    }

    /// Begins a step.
    void begin() {
        sums.begin();
        next = 0;
    }

    /// Notes that the gradients of a shard of this rank are computed next.
    void push(int shard) {
        sums.push(shard);
        Arrays.fill(complete, false);
    }

    /// Adds the gradients of a shard that is not the last.
    void keep() {
        sums.keep(gradients);
    }

    /// Notes that the gradient of a tensor is complete, for the last shard, and sends what can be sent.
    void completed(Tensor leaf) {
        Integer i = numbers.get(leaf);
        if (i != null) {
            complete[i] = true;
            sendComplete();
        }
    }

    private void sendComplete() {
        while (next < buckets.size() && isComplete(layout.buckets.get(next))) {
            send(next++);
        }
    }

    private boolean isComplete(Layout.Bucket bucket) {
        for (int i = bucket.last(); i >= bucket.first(); i--) {
            if (!complete[i]) {
                return false;
            }
        }
        return true;
    }

    private void send(int number) {
        BucketExchange bucket = buckets.get(number);
        if (number == 0) {
            processes.begin(gradientAgreement);
        }
        if (number >= ON_THE_WAY) {
            processes.await("backward", buckets.get(number - ON_THE_WAY).sums());
        }
        Layout.Bucket members = layout.buckets.get(number);
        for (int i = members.last(); i >= members.first(); i--) {
            sums.send(i, gradients.apply(i), bucket);
        }
        processes.begin(bucket.sums());
    }

    /// Sends the buckets that are left, because a parameter in them has no gradient.
    void sendRest() {
        while (next < buckets.size()) {
            send(next++);
        }
    }

    /// Waits until all gradients are added up.
    void awaitSums() {
        processes.await("backward", gradientAgreement);
        for (int b = 0; b < buckets.size(); b++) {
            processes.await("backward", buckets.get(b).sums());
        }
    }

    /// {@return the gradient of this rank's elements of a parameter}
    Tensor own(int i) {
        return bucketOf[i].own(i);
    }

    /// {@return the gradients of this rank's elements of all parameters of a bucket}
    Tensor ownOfBucket(int number) {
        return buckets.get(number).own();
    }

    /// Sends this rank's elements of all parameters to the others, and copies theirs.
    void exchangeParameters() {
        if (processes.isAlone()) {
            return;
        }
        processes.begin(stepAgreement);
        for (int b = 0; b < buckets.size(); b++) {
            if (b >= ON_THE_WAY) {
                receive(b - ON_THE_WAY);
            }
            Layout.Bucket members = layout.buckets.get(b);
            for (int i = members.last(); i >= members.first(); i--) {
                buckets.get(b).putUpdated(i, parts[i][rank]);
            }
            processes.begin(buckets.get(b).parameters());
        }
        for (int b = Math.max(0, buckets.size() - ON_THE_WAY); b < buckets.size(); b++) {
            receive(b);
        }
    }

    private void receive(int number) {
        processes.await("step", stepAgreement);
        BucketExchange bucket = buckets.get(number);
        processes.await("step", bucket.parameters());
        Layout.Bucket members = layout.buckets.get(number);
        for (int i = members.last(); i >= members.first(); i--) {
            for (int r = 0; r < layout.ranks; r++) {
                if (r != rank && parts[i][r].size() > 0) {
                    parts[i][r].copyFrom(bucket.collected(i, r));
                }
            }
        }
    }

    /// {@return the elements of all ranks of a tensor that is divided as a parameter is}
    Tensor whole(int i, Tensor own) {
        Tensor parameter = parameters.get(i);
        Tensor whole = Tensor.zeros(parameter.dtype(), parameter.shape());
        Tensor[] to = sums.parts(i, whole);
        to[rank].copyFrom(own);
        if (!processes.isAlone()) {
            BucketExchange bucket = bucketOf[i];
            bucket.putUpdated(i, own);
            processes.begin(stateAgreement);
            processes.begin(bucket.parameters());
            processes.await("stateDict", stateAgreement);
            processes.await("stateDict", bucket.parameters());
            for (int r = 0; r < layout.ranks; r++) {
                to[r].copyFrom(bucket.collected(i, r));
            }
        }
        return whole;
    }
}
