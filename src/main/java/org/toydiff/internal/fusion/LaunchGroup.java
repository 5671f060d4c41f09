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
import org.toydiff.internal.fusion.RecordedLaunch.Matrix;
import org.toydiff.internal.fusion.RecordedLaunch.Other;
import org.toydiff.internal.fusion.RecordedLaunch.Streamed;
import org.toydiff.internal.kernels.Element;
import org.toydiff.internal.launch.Shape;

/// Launches that are to run together: one of any kind, elementwise ones in one loop, or one between two such loops.
final class LaunchGroup {
    /// The launches' places in the list: ascending in each loop.
    final List<Integer> launches;

    /// The blocks that the launches read and write.
    final Set<Integer> reads;

    final Set<Integer> writes;

    /// The blocks that elementwise launches read without repeating an element.
    final Set<Integer> whole = new HashSet<>();

    /// The elementwise launches, all of one shape; empty for a group that nothing can join.
    private final List<Elementwise> members;

    /// The launch that reads its first operand from the members, or from memory as long as there are none; null for
    /// other groups.
    private final Streamed streamed;

    /// The elementwise launches that read the result of that launch as it comes, all of one shape.
    private final List<Elementwise> followers;

    private LaunchGroup(
            List<Integer> launches,
            List<Elementwise> members,
            Streamed streamed,
            List<Elementwise> followers,
            Set<Integer> reads,
            Set<Integer> writes) {
        this.launches = launches;
        this.members = members;
        this.streamed = streamed;
        this.followers = followers;
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
            case Other other ->
                new LaunchGroup(List.of(place), List.of(), null, List.of(), other.reads(), other.writes());
            case Streamed each -> {
                Set<Integer> reads = new HashSet<>(each.reads());
                each.aligned().forEach(view -> reads.add(view.block()));
                if (each.x() != null) {
                    reads.add(each.x().block());
                }
                yield new LaunchGroup(List.of(place), List.of(), each, List.of(), reads, each.writes());
            }
            case Elementwise each ->
                of(List.of(place), each.isFill() || !isSound(each) ? List.of() : List.of(each), List.of(each));
        };
    }

    private static LaunchGroup of(List<Integer> places, List<Elementwise> members, List<Elementwise> launches) {
        Set<Integer> reads = new HashSet<>();
        Set<Integer> writes = new HashSet<>();
        for (Elementwise launch : launches) {
            launch.inputs().forEach(input -> reads.add(input.block()));
            writes.add(launch.output().block());
        }
        return new LaunchGroup(places, members, null, List.of(), reads, writes);
    }

    private static Set<Integer> union(Set<Integer> blocks, int another) {
        Set<Integer> union = new HashSet<>(blocks);
        union.add(another);
        return union;
    }

    /// {@return whether a launch reads and writes each element of its result at the same place, and a loop can read its
    /// elements: numbers as wide as its expression's or [narrow][#isNarrow] ones, and truth values}
    static boolean isSound(Elementwise launch) {
        long[] shape = launch.shape();
        BlockView output = launch.output();
        Precision precision = launch.expression().precision();
        return !Shape.empty(shape)
                && Stream.concat(launch.inputs().stream(), Stream.of(output))
                        .allMatch(view -> isNarrow(view.element(), precision)
                                || view.element() == Element.BOOL
                                || view.element().precision() == precision)
                && !Shape.overlapsItself(shape, output.strides())
                && launch.inputs().stream()
                        .noneMatch(input -> input.block() == output.block() && !input.isSame(output, shape));
    }

    /// {@return whether a type of elements is half as wide as the numbers: loops convert it where they read and write}
    static boolean isNarrow(Element element, Precision numbers) {
        return element == (numbers == Precision.FLOAT64 ? Element.FLOAT32 : Element.BFLOAT16);
    }

    /// {@return whether the two may not change places}
    boolean conflicts(LaunchGroup other) {
        return !Collections.disjoint(writes, other.writes)
                || !Collections.disjoint(writes, other.reads)
                || !Collections.disjoint(reads, other.writes);
    }

    /// {@return whether this is a loop whose result the later group could read while it is computed}
    boolean feeds(LaunchGroup later) {
        return canGrow()
                && later.streamed != null
                && later.streamed.x() != null
                && later.members.isEmpty()
                && writes.contains(later.streamed.x().block());
    }

    /// {@return whether this is a launch whose result the later group, a loop, could read while it is computed}
    boolean hands(LaunchGroup later) {
        return streamed != null
                && streamed.y() != null
                && followers.isEmpty()
                && later.canGrow()
                && later.reads.contains(streamed.y().block());
    }

    /// {@return whether this is no loop alone}
    boolean isStreamed() {
        return streamed != null;
    }

    /// {@return whether launches can join}
    private boolean canGrow() {
        return !members.isEmpty() && streamed == null;
    }

    /// {@return whether a loop of both would save reading a block}
    boolean shares(LaunchGroup later) {
        return canGrow()
                && later.canGrow()
                && !later.members.isEmpty()
                && !(Collections.disjoint(writes, later.reads) && Collections.disjoint(whole, later.whole));
    }

    /// {@return both in one loop, this one's launches first, or null if that is not possible or does not pay}
    ///
    /// @param needed the blocks that other groups read
    LaunchGroup with(LaunchGroup later, Set<Integer> needed) {
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
        boolean pays = grid().isNoBetterThan(both.grid()) && later.grid().isNoBetterThan(both.grid());
        return pays && both.loop(needed).program().fits() ? both : null;
    }

    /// {@return the later group, reading its first operand from this one, or null if that is not possible or does not
    /// pay}
    ///
    /// @param needed the blocks that other groups read: they may not be among those that this one writes
    LaunchGroup feeding(LaunchGroup later, Set<Integer> needed) {
        Streamed reader = later.streamed;
        int block = reader.x().block();
        if (needed.contains(block) || reader.readsElsewhere(block) || !Collections.disjoint(reads, later.writes)) {
            return null;
        }
        long[] shape = matrix(reader.x());
        List<Elementwise> reshaped = shape == null ? null : reshaped(members, shape);
        BlockView x =
                shape == null ? null : reader.x().view().reshaped(reader.x().shape(), shape);
        if (reshaped == null || x == null) {
            return null;
        }
        Set<Integer> all = new HashSet<>(later.reads);
        all.remove(block);
        var fed = new LaunchGroup(places(later), reshaped, reader, List.of(), all, later.writes);
        FusedLaunch.Loop loop = fed.loop(union(needed, block));
        loop.operands().subList(0, loop.program().inputs().size()).forEach(input -> all.add(input.block()));
        boolean isX = loop.program().outputs().size() == 1
                && loop.operands().getLast().isSame(x, shape);
        return isX && grid().isNoBetterThan(fed.grid()) ? fed : null;
    }

    /// {@return this group, whose result the later one reads as it comes, or null if that is not possible or does not
    /// pay}
    LaunchGroup handing(LaunchGroup later) {
        long[] shape = later.shape();
        Matrix y = streamed.y();
        if (Shape.size(shape) != Shape.size(y.shape()) || !canAlternate(later)) {
            return null;
        }
        List<BlockView> operands = new ArrayList<>(later.loop(later.writes).operands());
        operands.add(y.view().reshaped(y.shape(), shape));
        OperandGrid grid = OperandGrid.of(shape, operands);
        List<Elementwise> reshaped =
                grid.outer.length == 0 ? reshaped(later.members, new long[] {grid.rows, grid.columns}) : null;
        if (reshaped == null || !later.grid().isNoBetterThan(grid)) {
            return null;
        }
        Set<Integer> read = new HashSet<>(later.reads);
        read.remove(y.block());
        read.addAll(reads);
        Set<Integer> written = new HashSet<>(writes);
        written.addAll(later.writes);
        var both = new LaunchGroup(places(later), members, streamed, reshaped, read, written);
        return both.sink(later.writes).program().calls().stream()
                        .anyMatch(call -> call.arguments().contains(0))
                ? both
                : null;
    }

    /// {@return whether the loop of the later group can run over some elements before this launch has come to others}
    /// It must see the result as this launch writes it, use nothing else that this launch writes, and write nothing
    /// that this launch still reads.
    private boolean canAlternate(LaunchGroup later) {
        int y = streamed.y().block();
        List<BlockView> aligned = new ArrayList<>(streamed.aligned());
        if (members.isEmpty() && streamed.x() != null) {
            aligned.add(streamed.x().view());
        }
        Set<Integer> others = new HashSet<>(streamed.reads());
        members.forEach(member -> member.inputs().forEach(input -> others.add(input.block())));
        return writes.stream()
                        .noneMatch(block -> block != y && (later.reads.contains(block) || later.writes.contains(block)))
                && Collections.disjoint(others, later.writes)
                && later.sees(streamed.y().view(), false)
                && aligned.stream().allMatch(view -> later.sees(view, true));
    }

    /// {@return whether all views of a contiguous block, or those that are written, are of the elements of that view in
    /// their order}
    private boolean sees(BlockView view, boolean written) {
        long[] shape = shape();
        BlockView same = new BlockView(view.block(), view.element(), view.offset(), Shape.strides(shape));
        return members.stream()
                .flatMap(member -> written
                        ? Stream.of(member.output())
                        : Stream.concat(member.inputs().stream(), Stream.of(member.output())))
                .allMatch(each -> each.block() != view.block() || each.isSame(same, shape));
    }

    private List<Integer> places(LaunchGroup later) {
        return Stream.concat(launches.stream(), later.launches.stream()).toList();
    }

    /// {@return the shape in which a reader can have the elements: its own or, if it reads them in one row, any matrix}
    private long[] matrix(Matrix x) {
        if (x.rows() > 1 || reshaped(members, x.shape()) != null) {
            return x.shape();
        }
        OperandGrid grid = grid();
        return grid.outer.length == 0 ? new long[] {grid.rows, grid.columns} : null;
    }

    private long[] shape() {
        return members.getFirst().shape();
    }

    /// {@return the launches of both in that shape, or null if they do not have it}
    private List<Elementwise> joined(long[] shape, LaunchGroup later) {
        List<Elementwise> all = new ArrayList<>(members);
        all.addAll(later.members);
        return reshaped(all, shape);
    }

    private static List<Elementwise> reshaped(List<Elementwise> launches, long[] shape) {
        List<Elementwise> reshaped = new ArrayList<>();
        for (Elementwise launch : launches) {
            Elementwise other = reshaped(launch, shape);
            if (other == null) {
                return null;
            }
            reshaped.add(other);
        }
        return reshaped;
    }

    private static Elementwise reshaped(Elementwise launch, long[] shape) {
        if (Arrays.equals(launch.shape(), shape)) {
            return launch;
        }
        if (Shape.size(launch.shape()) != Shape.size(shape)) {
            return null;
        }
        List<BlockView> inputs = new ArrayList<>();
        for (BlockView input : launch.inputs()) {
            inputs.add(input.reshaped(launch.shape(), shape));
        }
        BlockView output = launch.output().reshaped(launch.shape(), shape);
        return output == null || inputs.contains(null)
                ? null
                : new Elementwise(
                        launch.kernel(), launch.expression(), List.copyOf(inputs), launch.constants(), output, shape);
    }

    /// {@return whether all views of each block that is written are the same, no value is overwritten unread, and none
    /// that is rounded where it is written is read before}
    private static boolean isSound(List<Elementwise> launches) {
        Map<Integer, BlockView> written = new HashMap<>();
        for (Elementwise launch : launches) {
            int block = launch.output().block();
            boolean rewrites = written.putIfAbsent(block, launch.output()) != null;
            if (rewrites && launch.inputs().stream().noneMatch(input -> input.block() == block)) {
                return false;
            }
            if (launch.inputs().stream()
                    .anyMatch(input -> isWidened(input, launch) && written.containsKey(input.block()))) {
                return false;
            }
        }
        return launches.stream()
                .flatMap(launch -> Stream.concat(launch.inputs().stream(), Stream.of(launch.output())))
                .allMatch(view -> !written.containsKey(view.block())
                        || view.isSame(
                                written.get(view.block()), launches.getFirst().shape()));
    }

    private static boolean isWidened(BlockView input, Elementwise launch) {
        return input.element() == Element.FLOAT32 && launch.expression().precision() == Precision.FLOAT64;
    }

    private static boolean isTruth(Elementwise launch) {
        return launch.expression() instanceof Condition
                && launch.constants().isEmpty()
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

    private OperandGrid grid() {
        Set<Integer> stored = streamed == null ? writes : Set.of(streamed.x().block());
        return OperandGrid.of(shape(), loop(stored).operands());
    }

    /// {@return the launches as one}
    ///
    /// @param needed the blocks that others read
    FusedLaunch result(Set<Integer> needed) {
        if (launches.size() == 1
                && members.stream().allMatch(each -> each.constants().isEmpty())) {
            return new FusedLaunch.Unchanged(launches.getFirst());
        }
        if (streamed == null) {
            return loop(needed);
        }
        boolean isRewritten = streamed.y() != null
                && followers.stream()
                        .anyMatch(each -> each.output().block() == streamed.y().block());
        return new FusedLaunch.Streamed(
                launches.get(members.size()),
                members.isEmpty() ? null : loop(union(needed, streamed.x().block())),
                streamed.x() == null ? 0 : streamed.x().columns(),
                followers.isEmpty() ? null : sink(needed),
                streamed.y() == null || needed.contains(streamed.y().block()) && !isRewritten);
    }

    /// {@return the loop of the members}
    ///
    /// @param needed the blocks that others read; one that a launch of the loop alone reads is not stored
    private FusedLaunch.Loop loop(Set<Integer> needed) {
        return loop(builder(members), members, launches.subList(0, members.size()), needed);
    }

    /// {@return the loop of the followers, whose first operand is the result of the launch}
    private FusedLaunch.Loop sink(Set<Integer> needed) {
        LoopBuilder builder = builder(followers);
        Matrix y = streamed.y();
        builder.read(y.view().reshaped(y.shape(), followers.getFirst().shape()));
        return loop(builder, followers, launches.subList(members.size() + 1, launches.size()), needed);
    }

    private static LoopBuilder builder(List<Elementwise> launches) {
        Precision precision = precision(launches);
        return new LoopBuilder(
                precision == null ? Precision.FLOAT32 : precision,
                launches.getFirst().shape());
    }

    private static FusedLaunch.Loop loop(
            LoopBuilder builder, List<Elementwise> launches, List<Integer> places, Set<Integer> needed) {
        launches.forEach(builder::add);
        return builder.loop(places, needed);
    }
}
