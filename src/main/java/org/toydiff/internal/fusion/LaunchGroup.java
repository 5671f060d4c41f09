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
import org.toydiff.internal.fusion.RecordedLaunch.Consumer;
import org.toydiff.internal.fusion.RecordedLaunch.Elementwise;
import org.toydiff.internal.fusion.RecordedLaunch.Other;
import org.toydiff.internal.kernels.Element;
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

    /// The launch that reads its first operand from the members, or from memory as long as there are none; null for
    /// other groups.
    private final Consumer consumer;

    private LaunchGroup(
            List<Integer> launches,
            List<Elementwise> members,
            Consumer consumer,
            Set<Integer> reads,
            Set<Integer> writes) {
        this.launches = launches;
        this.members = members;
        this.consumer = consumer;
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
            case Other other -> new LaunchGroup(List.of(place), List.of(), null, other.reads(), other.writes());
            case Consumer each ->
                new LaunchGroup(
                        List.of(place),
                        List.of(),
                        each,
                        union(each.reads(), each.x().block()),
                        each.writes());
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
        return new LaunchGroup(places, members, null, reads, writes);
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
                && later.consumer != null
                && later.members.isEmpty()
                && writes.contains(later.consumer.x().block());
    }

    /// {@return whether launches can join}
    private boolean canGrow() {
        return !members.isEmpty() && consumer == null;
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
        Consumer reader = later.consumer;
        int block = reader.x().block();
        if (needed.contains(block) || reader.reads().contains(block) || !Collections.disjoint(reads, later.writes)) {
            return null;
        }
        long[] shape = matrix(reader);
        List<Elementwise> reshaped = shape == null ? null : reshaped(members, shape);
        BlockView x = shape == null ? null : reader.x().reshaped(reader.shape(), shape);
        if (reshaped == null || x == null) {
            return null;
        }
        List<Integer> places =
                Stream.concat(launches.stream(), later.launches.stream()).toList();
        Set<Integer> all = new HashSet<>(reader.reads());
        var fed = new LaunchGroup(places, reshaped, reader, all, later.writes);
        FusedLaunch.Loop loop = fed.loop(union(needed, block));
        loop.operands().subList(0, loop.program().inputs().size()).forEach(input -> all.add(input.block()));
        boolean isX = loop.program().outputs().size() == 1
                && loop.operands().getLast().isSame(x, shape);
        return isX && grid().isNoBetterThan(fed.grid()) ? fed : null;
    }

    /// {@return the shape in which a reader can have the elements: its own or, if it reads them in one row, any matrix}
    private long[] matrix(Consumer reader) {
        if (reader.rows() > 1 || reshaped(members, reader.shape()) != null) {
            return reader.shape();
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
        Set<Integer> stored = consumer == null ? writes : Set.of(consumer.x().block());
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
        if (consumer == null) {
            return loop(needed);
        }
        FusedLaunch.Loop loop = loop(union(needed, consumer.x().block()));
        List<BlockView> inputs = loop.operands().subList(0, loop.operands().size() - 1);
        return new FusedLaunch.Fed(
                launches.getLast(),
                launches.subList(0, launches.size() - 1),
                loop.program(),
                inputs,
                shape(),
                consumer.columns());
    }

    /// {@return the loop of the launches}
    ///
    /// @param needed the blocks that others read; one that a launch of the loop alone reads is not stored
    private FusedLaunch.Loop loop(Set<Integer> needed) {
        Precision precision = precision(members);
        var builder = new LoopBuilder(precision == null ? Precision.FLOAT32 : precision, shape());
        members.forEach(builder::add);
        return builder.loop(launches, needed);
    }
}
