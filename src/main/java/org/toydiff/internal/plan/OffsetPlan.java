package org.toydiff.internal.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// The offsets of blocks in one stretch of memory, such that no two blocks that live at the same time overlap:
/// dynamic storage allocation with known lifetimes, which is NP-hard (M. Garey, D. Johnson, "Computers and
/// intractability", 1979, problem SR2).
///
/// Several greedy planners run and the best plan is kept. Each takes the blocks in an order of its own (by size,
/// by size × lifetime, by lifetime, by beginning) and puts each where it fits among those placed before: at the
/// lowest such offset, or in the tightest gap (Y. Pisarchyk, J. Lee, "Efficient memory management for deep neural
/// net inference", 2020). Where they leave a gap to the lower bound, the blocks at the top are placed earlier,
/// again and again.
public final class OffsetPlan {
    // The first few searches end at a plan above the lower bound by one part in so many, the others at a worse one.
    private static final int GOOD = 100;
    private static final int ENOUGH = 25;
    private static final int STARTS = 3;

    // Bounds on each search, some 20 ms.
    private static final long MOST_ROUNDS = 2_000;
    private static final long PAIRS = 20_000_000;

    private final long[] bytes;
    private final int[] first;
    private final int[] last;
    private final long lowerBound;

    // The best plan so far.
    private long[] offsets;
    private long planned = Long.MAX_VALUE;

    /// The offsets of the last placement.
    private long[] current;

    /// The blocks that are placed so far, by ascending offset.
    private final int[] placed;

    private OffsetPlan(long[] bytes, int[] first, int[] last) {
        this.bytes = bytes.clone();
        this.first = first.clone();
        this.last = last.clone();
        this.lowerBound = mostAlive();
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
        Integer[] begins = order(Comparator.comparingInt(i -> first[i]));
        Integer[] ends = order(Comparator.comparingInt(i -> last[i]));
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

    private Integer[] order(Comparator<Integer> by) {
        Integer[] order = new Integer[bytes.length];
        Arrays.setAll(order, i -> i);
        // Sorting is stable, so that equal blocks keep their order and a plan is the same each time.
        Arrays.sort(order, by);
        return order;
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
        for (Integer[] order :
                List.of(order(bySize), order(byArea), order(byLifetime.thenComparing(bySize)), order(byTime))) {
            starts.add(new Start(order, false, place(order, false)));
            starts.add(new Start(order, true, place(order, true)));
        }
        starts.sort(Comparator.comparingLong(Start::bytes));
        for (int i = 0; i < starts.size() && !isWithin(i < STARTS ? GOOD : ENOUGH); i++) {
            improve(starts.get(i).order.clone(), starts.get(i).tight);
        }
    }

    /// Whether the plan is above the lower bound by one part in so many, or less.
    private boolean isWithin(int parts) {
        return planned <= lowerBound + lowerBound / parts;
    }

    /// An order of the blocks, and the bytes of the plan that it led to.
    private record Start(Integer[] order, boolean tight, long bytes) {}

    /// Takes a block that ends at the top before those that left it no room, again and again, while the plan is not
    /// good enough.
    private void improve(Integer[] order, boolean tight) {
        long rounds = Math.min(MOST_ROUNDS, PAIRS / Math.max(1, (long) bytes.length * bytes.length));
        for (long round = 0; round < rounds && !isWithin(GOOD); round++) {
            place(order, tight);
            int at = Arrays.asList(order).indexOf(highest());
            forward(order, at, round % 3 == 0 ? 0 : at / 2);
        }
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

    /// Moves a block towards the front.
    private static void forward(Integer[] order, int from, int to) {
        Integer block = order[from];
        System.arraycopy(order, to, order, to + 1, from - to);
        order[to] = block;
    }

    /// Places the blocks in an order, and keeps the plan if it is the best so far.
    ///
    /// @param tight whether to prefer the tightest gap to the lowest one
    private long place(Integer[] order, boolean tight) {
        current = new long[bytes.length];
        long top = 0;
        for (int n = 0; n < order.length; n++) {
            int block = order[n];
            current[block] = fit(block, n, tight);
            insert(block, n);
            top = Math.max(top, current[block] + bytes[block]);
        }
        if (top < planned) {
            planned = top;
            offsets = current;
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
        int at = n;
        while (at > 0 && current[placed[at - 1]] > current[block]) {
            placed[at] = placed[at - 1];
            at--;
        }
        placed[at] = block;
    }
}
