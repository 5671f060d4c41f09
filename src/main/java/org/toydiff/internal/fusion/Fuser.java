package org.toydiff.internal.fusion;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Merges elementwise launches into loops.
///
/// Two launches are merged if the later one reads a result or an operand of the earlier one, and nothing forbids it:
///
/// - both have one shape, or can be seen as having it, and numbers of one width;
/// - each block that one of them writes is seen by both in the same way;
/// - one of them can move to the place of the other: no launch between them writes what it reads, or touches what it
///   writes. A move past other launches must not keep more blocks alive than before;
/// - the loop runs on vectors if one of the two does, and its rows are no shorter than the shorter of 64 elements and
///   the longer rows of the two;
/// - the program [fits][LoopProgram#fits] into one loop. A chain that is too long thus becomes several loops.
///
/// A block that only launches of one loop read is not stored. One whose elements are all the same known number is an
/// operand of no loop: see [ConstantOperands].
///
/// A reduction, softmax or dropout whose operand such a loop computes, as its only result that anybody reads, takes its
/// elements from the loop under the same conditions; they never are in memory as a whole.
///
/// A loop that reads the result of a normalisation, of softmax or dropout, or of a gradient of these, takes its
/// elements from the launch, if the loop neither touches other memory that the launch writes nor changes elements that
/// it still reads. They are in memory as a whole only if somebody else reads them. This keeps no more blocks alive.
public final class Fuser {
    private final List<LaunchGroup> groups;

    /// The blocks whose contents are needed after the last launch.
    private final Set<Integer> kept;

    private Fuser(List<LaunchGroup> groups, Set<Integer> kept) {
        this.groups = groups;
        this.kept = kept;
    }

    /// {@return launches that do the same, in order}
    ///
    /// @param launches in the order in which they run
    /// @param kept the blocks whose contents are needed afterwards
    public static List<FusedLaunch> fuse(List<? extends RecordedLaunch> launches, Set<Integer> kept) {
        var fuser = new Fuser(ConstantOperands.inline(launches, kept), kept);
        for (int next = 0; next < fuser.groups.size(); ) {
            int before = fuser.groups.size();
            fuser.merge(next);
            next += 1 - (before - fuser.groups.size());
        }
        for (int next = 0; next < fuser.groups.size(); next++) {
            if (fuser.takeOver(next)) {
                next--;
            }
        }
        return fuser.results();
    }

    /// Merges a group with earlier ones, the nearest first.
    private void merge(int group) {
        int at = group;
        for (int earlier = at - 1; earlier >= 0; earlier--) {
            LaunchGroup first = groups.get(earlier);
            LaunchGroup second = groups.get(at);
            if (first.feeds(second) && mayDelay(earlier, at)) {
                LaunchGroup fed = first.feeding(second, needed(earlier, at));
                if (fed != null) {
                    groups.set(at, fed);
                    groups.remove(earlier);
                    return;
                }
            }
            if (!first.shares(second)) {
                continue;
            }
            boolean delays = mayDelay(earlier, at);
            if (!delays && !mayAdvance(at, earlier)) {
                continue;
            }
            LaunchGroup both = first.with(second, needed(earlier, at));
            if (both != null) {
                groups.remove(at);
                groups.remove(earlier);
                at = delays ? at - 1 : earlier;
                groups.add(at, both);
                earlier = at;
            }
        }
    }

    /// Lets a loop read a result as an earlier launch, the nearest one, computes it.
    ///
    /// @return whether it does: then there is a group less
    private boolean takeOver(int loop) {
        for (int earlier = loop - 1; earlier >= 0; earlier--) {
            LaunchGroup first = groups.get(earlier);
            LaunchGroup second = groups.get(loop);
            if (!first.hands(second)) {
                continue;
            }
            boolean delays = mayDelay(earlier, loop);
            LaunchGroup both = delays || mayAdvance(loop, earlier) ? first.handing(second) : null;
            if (both != null) {
                groups.remove(loop);
                groups.remove(earlier);
                groups.add(delays ? loop - 1 : earlier, both);
                return true;
            }
        }
        return false;
    }

    /// {@return the blocks that one of two groups writes and that are needed outside of both}
    private Set<Integer> needed(int earlier, int later) {
        Set<Integer> needed = new HashSet<>(groups.get(earlier).writes);
        needed.addAll(groups.get(later).writes);
        needed.removeIf(block -> isTemporary(block) && !isReadFrom(earlier + 1, block, later));
        return needed;
    }

    /// {@return whether the group at `from` can run right before the later one at `to`}
    private boolean mayDelay(int from, int to) {
        LaunchGroup group = groups.get(from);
        if (!passes(group, from, to)) {
            return false;
        }
        long kept = group.reads.stream()
                .filter(block ->
                        isTemporary(block) && !group.writes.contains(block) && !isReadFrom(from + 1, block, -1))
                .count();
        // Blocks that a launch keeps while it hands its result on live beside the results of the loop.
        return kept == 0 || !group.isStreamed() && (to == from + 1 || kept <= created(group, from));
    }

    /// {@return whether the group at `from` can run right after the earlier one at `to`}
    private boolean mayAdvance(int from, int to) {
        LaunchGroup group = groups.get(from);
        if (!passes(group, to, from)) {
            return false;
        }
        long freed = group.whole.stream()
                .filter(block ->
                        isTemporary(block) && !group.writes.contains(block) && !isReadFrom(to + 1, block, from))
                .count();
        return created(group, from) <= freed;
    }

    /// {@return whether a group conflicts with none of those between two places}
    private boolean passes(LaunchGroup group, int from, int to) {
        return groups.subList(from + 1, to).stream().noneMatch(group::conflicts);
    }

    private boolean isTemporary(int block) {
        return !kept.contains(block);
    }

    /// {@return the number of blocks that begin to live with a group}
    private long created(LaunchGroup group, int at) {
        return group.writes.stream()
                .filter(this::isTemporary)
                .filter(block -> !group.reads.contains(block) || isReadFrom(at + 1, block, -1))
                .filter(block -> groups.subList(0, at).stream()
                        .noneMatch(each -> each.writes.contains(block) || each.reads.contains(block)))
                .count();
    }

    /// {@return whether a group from a place on reads a block, other than the one at `except`}
    private boolean isReadFrom(int place, int block, int except) {
        for (int i = place; i < groups.size(); i++) {
            if (i != except && groups.get(i).reads.contains(block)) {
                return true;
            }
        }
        return false;
    }

    private List<FusedLaunch> results() {
        List<FusedLaunch> results = new ArrayList<>();
        Set<Integer> needed = new HashSet<>(kept);
        for (LaunchGroup group : groups.reversed()) {
            results.add(group.result(needed));
            needed.addAll(group.reads);
        }
        Collections.reverse(results);
        return results;
    }
}
