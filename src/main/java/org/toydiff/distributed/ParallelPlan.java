package org.toydiff.distributed;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.toydiff.Tensor;
import org.toydiff.nn.Layer;
import org.toydiff.optim.Optimizer;

/// The memory of one process of a [DataParallel], in bytes as arenas count them: each block rounded up to a multiple of
/// 64. It follows from shapes alone; a step adds what the forward and backward of one shard take, see
/// [org.toydiff.MemoryPlan].
///
/// @param rank the process
/// @param ranks the number of processes
/// @param shards the number of shards of a batch
/// @param parameters the trained parameters
/// @param gradients their gradients, made by the first backward
/// @param state the optimizer's state of the elements that the process updates
/// @param ownGradients the summed gradients of these elements
/// @param partialSums the sums of the shards that are computed already, while further ones are computed
/// @param communication the elements that are sent and received at a time
/// @param bookkeeping the buffers before the step and their sums, losses, weights and norms
public record ParallelPlan(
        int rank,
        int ranks,
        int shards,
        long parameters,
        long gradients,
        long state,
        long ownGradients,
        long partialSums,
        long communication,
        long bookkeeping) {
    private static final int ALIGNMENT = 64;

    /// Plans the memory of one of any number of processes, which need not run.
    ///
    /// @param model the model
    /// @param optimizer its optimizer
    /// @param rank the process, from 0 on
    /// @param ranks the number of processes
    /// @param shards the number of shards of a batch
    /// @return the plan
    /// @throws IllegalArgumentException if there are fewer shards than processes, or there is no such process
    public static ParallelPlan of(Layer model, Optimizer optimizer, int rank, int ranks, int shards) {
        if (rank < 0 || rank >= ranks) {
            throw new IllegalArgumentException("ParallelPlan: there is no rank " + rank + " of " + ranks);
        }
        List<Tensor> parameters = optimizer.parameters();
        var layout = new Layout(parameters, ranks, shards);
        long all = bytes(parameters);
        boolean alone = ranks == 1;
        return new ParallelPlan(
                rank,
                ranks,
                shards,
                all,
                all,
                optimizer.stateNames().size() * ownState(layout, parameters, rank),
                layout.buckets.stream()
                        .mapToLong(bucket -> rounded(
                                layout.end(bucket, rank) * bucket.dtype().bytes()))
                        .sum(),
                layout.depth(rank) * all,
                alone ? 0 : GradientExchange.ON_THE_WAY * 2 * rounded(layout.largestTransfer()),
                bookkeeping(
                        layout, rank, parameters.size(), model.namedBuffers().values()));
    }

    private static long ownState(Layout layout, List<Tensor> parameters, int rank) {
        return IntStream.range(0, parameters.size())
                .mapToLong(i -> rounded((layout.to(i, rank) - layout.from(i, rank))
                        * parameters.get(i).dtype().bytes()))
                .sum();
    }

    private static long bookkeeping(Layout layout, int rank, int parameters, Collection<Tensor> buffers) {
        long means = BufferMeans.elements(buffers);
        long row = StepRecord.row(layout, parameters, means) * Double.BYTES;
        int generator = 4;
        return bytes(buffers)
                + (layout.depth(rank) + 1) * rounded(means * Double.BYTES)
                + rounded(layout.ranks * row)
                + (layout.ranks == 1 ? 0 : rounded(row))
                + rounded(generator * Long.BYTES)
                + rounded(Processes.Sums.bytes(layout.firstUnits()[parameters]));
    }

    private static long bytes(Collection<Tensor> tensors) {
        return tensors.stream()
                .mapToLong(tensor -> rounded(tensor.size() * tensor.dtype().bytes()))
                .sum();
    }

    private static long rounded(long bytes) {
        return Math.ceilDiv(bytes, (long) ALIGNMENT) * ALIGNMENT;
    }

    /// {@return all of it together}
    public long total() {
        return LongStream.of(parameters, gradients, state, ownGradients, partialSums, communication, bookkeeping)
                .sum();
    }

    /// {@return a table of the parts}
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "Memory of rank %d of %d, %d shards%n", rank, ranks, shards)
                + line("parameters", parameters)
                + line("gradients", gradients)
                + line("optimizer state", state)
                + line("own gradients", ownGradients)
                + line("partial sums", partialSums)
                + line("communication", communication)
                + line("bookkeeping", bookkeeping)
                + line("total", total());
    }

    private static String line(String name, long bytes) {
        return String.format(Locale.ROOT, "  %-16s %,15d B%n", name, bytes);
    }
}
