package org.toydiff.internal.fusion;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.toydiff.internal.arithmetic.Condition;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.fusion.RecordedLaunch.Elementwise;
import org.toydiff.internal.fusion.RecordedLaunch.Other;
import org.toydiff.internal.kernels.Element;
import org.toydiff.internal.kernels.Staging;
import org.toydiff.internal.launch.Shape;

/// Launches that are to run together: one of any kind, or elementwise ones in one loop.
final class LaunchGroup {
    /// The launches' places in the list, ascending.
    final List<Integer> launches;

    /// The blocks that the launches read and write.
    final Set<Integer> reads;

    final Set<Integer> writes;

    /// The blocks that elementwise launches read without repeating an element.
    final Set<Integer> whole = new HashSet<>();

    /// The elementwise launches, all of one shape; empty for a group that nothing can join.
    private final List<Elementwise> members;

    private LaunchGroup(List<Integer> launches, List<Elementwise> members, Set<Integer> reads, Set<Integer> writes) {
        this.launches = launches;
        this.members = members;
        this.reads = reads;
        this.writes = writes;
        for (Elementwise member : members) {
            member.inputs().stream()
                    .filter(input -> !Shape.overlapsItself(member.shape(), input.strides()))
                    .forEach(input -> whole.add(input.block()));
        }
    }

    static LaunchGroup of(int place, RecordedLaunch launch) {
        return switch (launch) {
            case Other other -> new LaunchGroup(List.of(place), List.of(), other.reads(), other.writes());
            case Elementwise each -> of(List.of(place), isSound(each) ? List.of(each) : List.of(), List.of(each));
        };
    }

    private static LaunchGroup of(List<Integer> places, List<Elementwise> members, List<Elementwise> launches) {
        Set<Integer> reads = new HashSet<>();
        Set<Integer> writes = new HashSet<>();
        for (Elementwise launch : launches) {
            launch.inputs().forEach(input -> reads.add(input.block()));
            writes.add(launch.output().block());
        }
        return new LaunchGroup(places, members, reads, writes);
    }

    /// {@return whether a launch reads and writes each element of its result at the same place}
    private static boolean isSound(Elementwise launch) {
        long[] shape = launch.shape();
        BlockView output = launch.output();
        return !Shape.empty(shape)
                && !Shape.overlapsItself(shape, output.strides())
                && launch.inputs().stream()
                        .noneMatch(input -> input.block() == output.block() && !input.isSame(output, shape));
    }

    /// {@return whether the two may not change places}
    boolean conflicts(LaunchGroup other) {
        return !Collections.disjoint(writes, other.writes)
                || !Collections.disjoint(writes, other.reads)
                || !Collections.disjoint(reads, other.writes);
    }

    /// {@return whether a loop of both would save reading a block}
    boolean shares(LaunchGroup later) {
        return !members.isEmpty()
                && !later.members.isEmpty()
                && !(Collections.disjoint(writes, later.reads) && Collections.disjoint(reads, later.reads));
    }

    /// {@return both in one loop, this one's launches first, or null if that is not possible or does not pay}
    LaunchGroup with(LaunchGroup later) {
        long[] shape = later.shape();
        List<Elementwise> all = joined(shape, later);
        if (all == null) {
            shape = shape();
            all = joined(shape, later);
        }
        if (all == null || !isSound(all) || precision(all) == null && !allTruth(all)) {
            return null;
        }
        List<Integer> places = Stream.concat(launches.stream(), later.launches.stream())
                .sorted()
                .toList();
        LaunchGroup both = of(places, all, all);
        return pays(later, both) && both.loop(both.writes).program().fits() ? both : null;
    }

    private long[] shape() {
        return members.getFirst().shape();
    }

    /// {@return the launches of both in that shape, or null if they do not have it}
    private List<Elementwise> joined(long[] shape, LaunchGroup later) {
        if (Shape.size(shape()) != Shape.size(later.shape())) {
            return null;
        }
        List<Elementwise> all = new ArrayList<>();
        for (LaunchGroup group : List.of(this, later)) {
            for (Elementwise launch : group.members) {
                Elementwise reshaped = reshaped(launch, shape);
                if (reshaped == null) {
                    return null;
                }
                all.add(reshaped);
            }
        }
        return all;
    }

    private static Elementwise reshaped(Elementwise launch, long[] shape) {
        if (Arrays.equals(launch.shape(), shape)) {
            return launch;
        }
        List<BlockView> inputs = new ArrayList<>();
        for (BlockView input : launch.inputs()) {
            inputs.add(input.reshaped(launch.shape(), shape));
        }
        BlockView output = launch.output().reshaped(launch.shape(), shape);
        return output == null || inputs.contains(null)
                ? null
                : new Elementwise(launch.kernel(), launch.expression(), List.copyOf(inputs), output, shape);
    }

    /// {@return whether all views of each block that is written are the same, and no value is overwritten unread}
    private static boolean isSound(List<Elementwise> launches) {
        Map<Integer, BlockView> written = new HashMap<>();
        for (Elementwise launch : launches) {
            int block = launch.output().block();
            boolean rewrites = written.putIfAbsent(block, launch.output()) != null;
            if (rewrites && launch.inputs().stream().noneMatch(input -> input.block() == block)) {
                return false;
            }
        }
        return launches.stream()
                .flatMap(launch -> Stream.concat(launch.inputs().stream(), Stream.of(launch.output())))
                .allMatch(view -> !written.containsKey(view.block())
                        || view.isSame(
                                written.get(view.block()), launches.getFirst().shape()));
    }

    private static boolean isTruth(Elementwise launch) {
        return launch.expression() instanceof Condition
                && launch.inputs().stream().allMatch(input -> input.element() == Element.BOOL);
    }

    private static boolean allTruth(List<Elementwise> launches) {
        return launches.stream().allMatch(LaunchGroup::isTruth);
    }

    /// {@return the precision of all launches but those of truth values alone, or null if there is not exactly one}
    private static Precision precision(List<Elementwise> launches) {
        List<Precision> precisions = launches.stream()
                .filter(launch -> !isTruth(launch))
                .map(launch -> launch.expression().precision())
                .distinct()
                .toList();
        return precisions.size() == 1 ? precisions.getFirst() : null;
    }

    /// {@return whether a loop of both runs as well as the two: over vectors if one of them does, on rows that are not
    /// short because of the other}
    private boolean pays(LaunchGroup later, LaunchGroup both) {
        OperandGrid grid = both.grid();
        OperandGrid first = grid();
        OperandGrid second = later.grid();
        boolean vectors = Columns.adjacent(Columns.of(grid.steps));
        boolean vectorsBefore = Columns.adjacent(Columns.of(first.steps)) || Columns.adjacent(Columns.of(second.steps));
        return (vectors || !vectorsBefore)
                && grid.columns >= Math.min(Staging.SHORTEST, Math.max(first.columns, second.columns));
    }

    private OperandGrid grid() {
        return OperandGrid.of(shape(), loop(writes).operands());
    }

    /// {@return the number of launches that one loop can be made of}
    boolean isLoop() {
        return members.size() > 1;
    }

    /// {@return the loop of the launches}
    ///
    /// @param needed the blocks that others read; one that a launch of the loop alone reads is not stored
    FusedLaunch.Loop loop(Set<Integer> needed) {
        Precision precision = precision(members);
        var builder = new LoopBuilder(precision == null ? Precision.FLOAT32 : precision, shape());
        members.forEach(builder::add);
        return builder.loop(launches, needed);
    }
}
