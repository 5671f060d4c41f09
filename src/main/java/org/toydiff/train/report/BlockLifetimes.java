package org.toydiff.train.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.toydiff.ReleaseSchedule;

/// The lifetimes of the blocks of a step by its release schedule, in the order in which a chart stacks them.
///
/// A block lives from the end of the step that allocates it to the end of the step that frees it, so that the blocks
/// alive after a step sum to the live bytes of the schedule.
///
/// @param blocks the largest blocks, in the order of allocation
/// @param others the bytes of the other blocks, one number for each of `times`
/// @param times the steps after which a block is allocated or freed, in order
/// @param live the bytes of all blocks, one number for each of `times`
record BlockLifetimes(List<ReleaseSchedule.Entry> blocks, List<Long> others, List<Integer> times, List<Long> live) {
    static BlockLifetimes of(ReleaseSchedule schedule, int most) {
        List<ReleaseSchedule.Entry> all = new ArrayList<>(schedule.entries());
        all.addAll(schedule.kept());
        all.removeIf(entry -> entry.made() >= entry.step());
        all.sort(Comparator.comparingLong(ReleaseSchedule.Entry::bytes).reversed());
        List<ReleaseSchedule.Entry> large = new ArrayList<>(all.subList(0, Math.min(most, all.size())));
        List<ReleaseSchedule.Entry> small = all.subList(large.size(), all.size());
        large.sort(Comparator.comparingInt(ReleaseSchedule.Entry::made)
                .thenComparing(
                        Comparator.comparingInt(ReleaseSchedule.Entry::step).reversed()));
        List<Integer> times = times(all, schedule.liveBytes().size());
        return new BlockLifetimes(large, sums(small, times), times, sums(all, times));
    }

    private static List<Integer> times(List<ReleaseSchedule.Entry> entries, int end) {
        var times = new TreeSet<Integer>();
        for (ReleaseSchedule.Entry entry : entries) {
            times.add(entry.made());
            times.add(entry.step());
        }
        times.add(end);
        return List.copyOf(times);
    }

    private static List<Long> sums(List<ReleaseSchedule.Entry> entries, List<Integer> times) {
        Map<Integer, Long> changes = new HashMap<>();
        for (ReleaseSchedule.Entry entry : entries) {
            changes.merge(entry.made(), entry.bytes(), Long::sum);
            changes.merge(entry.step(), -entry.bytes(), Long::sum);
        }
        List<Long> sums = new ArrayList<>(times.size());
        long sum = 0;
        for (int time : times) {
            sum += changes.getOrDefault(time, 0L);
            sums.add(sum);
        }
        return sums;
    }
}
