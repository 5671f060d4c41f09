package org.toydiff.internal.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/// The offsets of blocks in one stretch of memory, such that no two blocks that live at the same time overlap:
/// dynamic storage allocation with known lifetimes, which is NP-hard (M. Garey, D. Johnson, "Computers and
/// intractability", 1979, problem SR2).
///
/// Several greedy planners run and the best plan is kept. Each takes the blocks in an order of its own (by size,
/// by size × lifetime, by lifetime, by beginning) and puts each where it fits among those placed before: at the
/// lowest such offset, or in the tightest gap (Y. Pisarchyk, J. Lee, "Efficient memory management for deep neural
/// net inference", 2020). Where they leave a gap to the lower bound, blocks of the best orders change places, the one
/// that ends at the top with any other or two of any, and each change that makes no plan larger is kept. The sequence
/// of changes is the same each time, and so is the plan.
public final class OffsetPlan {
    // A search ends at a plan above the lower bound by one part in so many; a long one at a worse plan.
    private static final int GOOD = 100;
    private static final int ENOUGH = 20;

    /// The orders from which a search starts.
    private static final int STARTS = 3;

    // Bounds on the pairs of blocks that a search compares: some 10 ms, nothing for 2,000 blocks, and half a second
    // for a few blocks that are hard to place.
    private static final long PAIRS = 10_000_000;
    private static final long MOST_PAIRS = 400_000_000;
    private static final int FEW = 256;

    private final long[] bytes;
    private final int[] first;
    private final int[] last;
    private final long lowerBound;

    // The best plan so far.
    private long[] offsets;
    private long planned = Long.MAX_VALUE;

    /// The offsets of the last placement.
    private final long[] current;

    /// The blocks that are placed so far, by ascending offset.
    private final int[] placed;

    private final Random random = new Random(1);

    private OffsetPlan(long[] bytes, int[] first, int[] last) {
        this.bytes = bytes.clone();
        this.first = first.clone();
        this.last = last.clone();
        this.lowerBound = mostAlive();
        this.current = new long[bytes.length];
        this.placed = new int[bytes.length];
    }

    /// Places blocks.
    ///
    /// @param bytes the bytes of each block; offsets are sums of them, and have the alignment that all of them have
    /// @param first when each begins to live
    /// @param last when it lives last, not before it begins
    public static OffsetPlan of(long[] bytes, int[] first, int[] last) {
        var plan = new OffsetPlan(bytes, first, last);
        plan.search();
        return plan;
    }

    /// {@return where a block begins, in bytes}
    public long offset(int block) {
        return offsets[block];
    }

    /// {@return the bytes that the blocks take together}
    public long plannedBytes() {
        return planned;
    }

    /// {@return the most bytes that live at one time, below which no plan can be}
    public long lowerBoundBytes() {
        return lowerBound;
    }

    private long mostAlive() {
        int[] begins = order(Comparator.comparingInt(i -> first[i]));
        int[] ends = order(Comparator.comparingInt(i -> last[i]));
        long alive = 0;
        long most = 0;
        int ended = 0;
        for (int block : begins) {
            while (last[ends[ended]] < first[block]) {
                alive -= bytes[ends[ended++]];
            }
            alive += bytes[block];
            most = Math.max(most, alive);
        }
        return most;
    }

    private int[] order(Comparator<Integer> by) {
        // Sorting is stable, so that equal blocks keep their order and a plan is the same each time.
        return IntStream.range(0, bytes.length)
                .boxed()
                .sorted(by)
                .mapToInt(Integer::intValue)
                .toArray();
    }

    private long lifetime(int block) {
        return last[block] - first[block] + 1L;
    }

    private void search() {
        Comparator<Integer> bySize = Comparator.comparingLong(i -> -bytes[i]);
        Comparator<Integer> byArea = Comparator.comparingDouble(i -> -(double) bytes[i] * lifetime(i));
        Comparator<Integer> byLifetime = Comparator.comparingLong(i -> -lifetime(i));
        Comparator<Integer> byTime = Comparator.comparingInt(i -> first[i]);
        List<Start> starts = new ArrayList<>();
        for (int[] order :
                List.of(order(bySize), order(byArea), order(byLifetime.thenComparing(bySize)), order(byTime))) {
            starts.add(new Start(order, false, place(order, false, Long.MAX_VALUE)));
            starts.add(new Start(order, true, place(order, true, Long.MAX_VALUE)));
        }
        starts.sort(Comparator.comparingLong(Start::bytes));
        starts.subList(0, STARTS).forEach(this::improve);
    }

    /// Whether the plan is above the lower bound by one part in so many, or less.
    private boolean isWithin(int parts) {
        return planned <= lowerBound + lowerBound / parts;
    }

    /// An order of the blocks, and the bytes of the plan that it led to.
    private record Start(int[] order, boolean tight, long bytes) {}

    /// Exchanges two blocks of an order again and again, as long as the plan is not good enough.
    private void improve(Start start) {
        if (rounds() == 0) {
            return;
        }
        int[] order = start.order.clone();
        long least = place(order, start.tight, Long.MAX_VALUE);
        int top = highest();
        for (long round = 0; round < rounds(); round++) {
            int first = round % 2 == 0 ? indexOf(top, order) : random.nextInt(order.length);
            int second = random.nextInt(order.length);
            exchange(order, first, second);
            long result = place(order, start.tight, least);
            if (result <= least) {
                least = result;
                top = highest();
            } else {
                exchange(order, first, second);
            }
        }
    }

    /// The number of rounds that are worth their time, given the best plan so far.
    private long rounds() {
        if (isWithin(GOOD)) {
            return 0;
        }
        boolean hard = bytes.length <= FEW && !isWithin(ENOUGH);
        return (hard ? MOST_PAIRS : PAIRS) / STARTS / ((long) bytes.length * bytes.length);
    }

    private static int indexOf(int block, int[] order) {
        int at = 0;
        while (order[at] != block) {
            at++;
        }
        return at;
    }

    private static void exchange(int[] order, int first, int second) {
        int block = order[first];
        order[first] = order[second];
        order[second] = block;
    }

    /// The block that ends at the top of the last placement.
    private int highest() {
        int highest = 0;
        for (int i = 1; i < bytes.length; i++) {
            if (current[i] + bytes[i] > current[highest] + bytes[highest]) {
                highest = i;
            }
        }
        return highest;
    }

    /// Places the blocks in an order, and keeps the plan if it is the best so far.
    ///
    /// @param tight whether to prefer the tightest gap to the lowest one
    /// @param most the bytes beyond which the order is given up
    /// @return the bytes of the plan, or `Long.MAX_VALUE`
    private long place(int[] order, boolean tight, long most) {
        long top = 0;
        for (int n = 0; n < order.length; n++) {
            int block = order[n];
            current[block] = fit(block, n, tight);
            top = Math.max(top, current[block] + bytes[block]);
            if (top > most) {
                return Long.MAX_VALUE;
            }
            insert(block, n);
        }
        if (top < planned) {
            planned = top;
            offsets = current.clone();
        }
        return top;
    }

    /// The offset of a block among the first n placed.
    private long fit(int block, int n, boolean tight) {
        long free = 0;
        long found = -1;
        long smallest = Long.MAX_VALUE;
        for (int i = 0; i < n; i++) {
            int other = placed[i];
            if (first[other] > last[block] || last[other] < first[block]) {
                continue;
            }
            long gap = current[other] - free;
            if (gap >= bytes[block] && gap < smallest) {
                found = free;
                smallest = gap;
                if (!tight) {
                    return found;
                }
            }
            free = Math.max(free, current[other] + bytes[other]);
        }
        return found >= 0 ? found : free;
    }

    private void insert(int block, int n) {
        int low = 0;
        int high = n;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (current[placed[middle]] > current[block]) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        System.arraycopy(placed, low, placed, low + 1, n - low);
        placed[low] = block;
    }
}
