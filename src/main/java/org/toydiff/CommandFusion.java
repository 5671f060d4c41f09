package org.toydiff;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.toydiff.Recorder.Command;
import org.toydiff.Recording.Slot;
import org.toydiff.internal.fusion.BlockView;
import org.toydiff.internal.fusion.FusedLaunch;
import org.toydiff.internal.fusion.FusedSink;
import org.toydiff.internal.fusion.FusedSource;
import org.toydiff.internal.fusion.FusedWork;
import org.toydiff.internal.fusion.Fuser;
import org.toydiff.internal.fusion.OperandPlaces;
import org.toydiff.internal.fusion.RecordedLaunch;
import org.toydiff.internal.fusion.RecordedLaunch.Matrix;
import org.toydiff.internal.fusion.RecordedLaunch.Other;
import org.toydiff.internal.launch.ElementSink;
import org.toydiff.internal.launch.ElementSource;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.memory.Storage;

/// Turns the commands of a recorded run into those of its replays: elementwise launches that can run in one loop do,
/// a reduction, softmax or dropout reads the result of such a loop, and such a loop that of a normalisation, softmax
/// or dropout.
final class CommandFusion {
    private final Recorder recorder;
    private final List<Command> commands;
    private final Map<Object, Integer> blocks = new IdentityHashMap<>();

    /// A tensor of the replay over each block.
    private final List<Tensor> anchors = new ArrayList<>();

    /// The blocks outside of the recording, which code of the caller's may use too.
    private final Set<Integer> persistent = new HashSet<>();

    private final List<Overlay> overlays = new ArrayList<>();

    /// A launch that can read its first operand from a source, or let its result be taken by a sink.
    interface Streamed extends Runnable {
        /// Returns the first operand.
        Tensor x();

        /// Returns the columns of the matrix as which it asks a source for that operand, or 0 if it needs it in memory.
        default long columns() {
            return 0;
        }

        /// Returns the result; null if only other results are wanted.
        Tensor result();

        /// Whether a sink may take the result.
        default boolean isTaken() {
            return false;
        }

        /// Returns operands of the result's size, of whose elements the launch has no more need when the elements of
        /// the result at these places are taken.
        default List<Tensor> aligned() {
            return List.of();
        }

        /// Runs with a source and a sink, either of which may be null.
        ///
        /// @param y where the result goes; null if the sink alone takes it
        void run(ElementSource source, ElementSink sink, MemorySegment y, long yAt);

        @Override
        default void run() {
            run(null, null, Launch.memory(result()), Launch.offset(result()));
        }
    }

    /// A command that is several launches in one loop.
    interface Fused extends Runnable {
        /// Returns the loop as pseudo-code.
        String code();
    }

    /// The commands of replays, and the places that they could reuse.
    record Result(List<Command> commands, List<Overlay> overlays) {
        /// Lets results take the place of operands, once it is known how long each of them lives.
        void reusePlaces() {
            for (Overlay each : overlays) {
                if (each.read instanceof Slot read && each.written instanceof Slot written) {
                    written.overlay(read);
                }
            }
        }
    }

    /// A memory that an elementwise command reads, and one that it writes at the same places: the latter may be where
    /// the former is if nobody reads that afterwards.
    record Overlay(Object read, Object written) {}

    private CommandFusion(Recorder recorder, List<Command> commands) {
        this.recorder = recorder;
        this.commands = commands;
        for (Command command : commands) {
            command.reads().forEach(this::add);
            command.writes().forEach(this::add);
        }
    }

    /// Returns the commands of replays.
    ///
    /// @param results the results of the run
    static Result fuse(Recorder recorder, List<Command> commands, List<Tensor> results) {
        if (!areApart(recorder.persistent())) {
            return new Result(commands, List.of());
        }
        var fusion = new CommandFusion(recorder, commands);
        results.forEach(fusion::add);
        Set<Integer> kept = new HashSet<>(fusion.persistent);
        results.forEach(result -> kept.add(fusion.block(result)));
        List<RecordedLaunch> launches = commands.stream().map(fusion::launch).toList();
        List<Command> fused = Fuser.fuse(launches, kept).stream()
                .map(launch -> fusion.command(launch, launches))
                .toList();
        return new Result(fused, fusion.overlays);
    }

    /// Whether no two of the storages overlap in memory, as blocks of a [Fuser] must not.
    private static boolean areApart(Set<Storage> storages) {
        if (storages.stream().anyMatch(storage -> storage.isFreed() || !storage.alive())) {
            return false;
        }
        long end = 0;
        for (Storage storage : storages.stream()
                .filter(storage -> storage.elementBytes() > 0)
                .sorted(Comparator.comparingLong(CommandFusion::begin))
                .toList()) {
            if (begin(storage) < end) {
                return false;
            }
            end = begin(storage) + storage.elementBytes();
        }
        return true;
    }

    private static long begin(Storage storage) {
        return storage.segment().address() + storage.base() * storage.dtype.bytes();
    }

    private void add(Tensor t) {
        Object home = recorder.home(t);
        if (blocks.putIfAbsent(home, anchors.size()) == null) {
            if (recorder.outlives(home)) {
                persistent.add(anchors.size());
            }
            anchors.add(t);
        }
    }

    private int block(Tensor t) {
        return blocks.get(recorder.home(t));
    }

    private Set<Integer> blocks(List<Tensor> tensors) {
        return tensors.stream().map(this::block).collect(Collectors.toSet());
    }

    private BlockView view(Tensor t) {
        return new BlockView(block(t), t.dtype.kind.element, recorder.place(t), t.strides);
    }

    private RecordedLaunch launch(Command command) {
        Set<Integer> writes = blocks(command.writes());
        // A launch may leave elements of its result as they are.
        Set<Integer> reads = new HashSet<>(writes);
        if (command.isOpen()) {
            reads.addAll(persistent);
            writes.addAll(persistent);
        }
        RecordedLaunch known = null;
        if (command.body() instanceof Launch.Elementwise launch) {
            List<BlockView> inputs = launch.inputs().stream().map(this::view).toList();
            known = RecordedLaunch.Elementwise.of(launch.kernel(), inputs, view(launch.y()), launch.y().shape);
        } else if (command.body() instanceof Launch.Fill fill) {
            known = RecordedLaunch.Elementwise.fill(fill.value(), view(fill.y()), fill.y().shape);
        } else if (command.body() instanceof Streamed launch) {
            known = streamed(launch, command, writes);
        }
        if (known == null) {
            reads.addAll(blocks(command.reads()));
            known = new Other(reads, writes);
        }
        return known;
    }

    private RecordedLaunch streamed(Streamed launch, Command command, Set<Integer> writes) {
        Matrix x = matrix(launch.x(), launch.columns());
        Tensor result = launch.result();
        Matrix y = launch.isTaken() ? matrix(result, result.size()) : null;
        List<Tensor> reads = new ArrayList<>(command.reads());
        // A launch may leave elements of its other results as they are.
        reads.addAll(command.writes());
        reads.remove(y == null ? null : result);
        reads.remove(x == null ? null : launch.x());
        List<BlockView> aligned = new ArrayList<>();
        for (Tensor each : launch.aligned()) {
            boolean isX = x != null && each == launch.x();
            if (y != null && each.isContiguous() && (isX || reads.remove(each)) && !isX) {
                aligned.add(flat(each));
            }
        }
        return new RecordedLaunch.Streamed(x, y, aligned, blocks(reads), writes);
    }

    private BlockView flat(Tensor t) {
        return new BlockView(block(t), t.dtype.kind.element, recorder.place(t), new long[] {1});
    }

    private Matrix matrix(Tensor t, long columns) {
        return Matrix.of(view(t), t.shape, columns);
    }

    private Command command(FusedLaunch launch, List<RecordedLaunch> launches) {
        return switch (launch) {
            case FusedLaunch.Unchanged same -> {
                if (launches.get(same.launch()) instanceof RecordedLaunch.Elementwise each) {
                    overlay(each.inputs(), List.of(each.output()), each.shape());
                }
                yield commands.get(same.launch());
            }
            case FusedLaunch.Loop loop -> loop(loop);
            case FusedLaunch.Streamed each -> streamed(each, (RecordedLaunch.Streamed) launches.get(each.launch()));
        };
    }

    /// Notes which outputs of an elementwise launch or loop may take the place of an input.
    private void overlay(List<BlockView> inputs, List<BlockView> outputs, long[] shape) {
        for (BlockView output : outputs) {
            for (BlockView input : inputs) {
                if (!Shape.overlapsItself(shape, output.strides())
                        && inputs.stream()
                                .allMatch(each -> each.block() != input.block() || each.isLike(output, shape))) {
                    overlays.add(new Overlay(home(input), home(output)));
                }
            }
        }
    }

    private Object home(BlockView view) {
        return recorder.home(anchors.get(view.block()));
    }

    private Command loop(FusedLaunch.Loop loop) {
        overlay(loop.operands().subList(0, loop.program().inputs().size()), written(loop), loop.shape());
        var body = new Loop(new FusedWork(loop.program(), loop.operands(), loop.shape()), operands(loop.operands()));
        Command last = commands.get(loop.launches().getLast());
        List<Tensor> used = body.operands.anchors();
        return new Command(names(loop.launches()), body, last.result(), used, used, false);
    }

    private Command streamed(FusedLaunch.Streamed streamed, RecordedLaunch.Streamed known) {
        Command command = commands.get(streamed.launch());
        var launch = (Streamed) command.body();
        Source source = streamed.source() == null ? null : source(streamed);
        Sink sink = streamed.sink() == null ? null : sink(streamed, known, launch.result());
        Tensor result = command.result();
        List<Integer> places = new ArrayList<>();
        List<Tensor> reads = new ArrayList<>(command.reads());
        List<Tensor> writes = new ArrayList<>(command.writes());
        if (source != null) {
            reads.remove(launch.x());
            reads.addAll(source.operands.anchors());
            places.addAll(streamed.source().launches());
        }
        places.add(streamed.launch());
        if (sink != null) {
            if (sink.kept == null) {
                writes.remove(launch.result());
            }
            writes.addAll(sink.operands.anchors());
            result = commands.get(streamed.sink().launches().getLast()).result();
            places.addAll(streamed.sink().launches());
            overlay(streamed, known);
        }
        var body = new Piecewise(source, sink, launch, streamed.code(command.op()));
        return new Command(names(places), body, result, reads, writes, false);
    }

    private Source source(FusedLaunch.Streamed streamed) {
        FusedLaunch.Loop loop = streamed.source();
        var work = new FusedSource(loop.program(), streamed.inputs(), loop.shape(), streamed.columns());
        return new Source(work, operands(streamed.inputs()));
    }

    private Sink sink(FusedLaunch.Streamed streamed, RecordedLaunch.Streamed known, Tensor result) {
        FusedLaunch.Loop loop = streamed.sink();
        var work = new FusedSink(loop.program(), loop.operands(), loop.shape());
        Operands others = operands(loop.operands().subList(1, loop.operands().size()));
        if (streamed.keepsResult()) {
            return new Sink(work, others, result, -1, null);
        }
        BlockView place = place(streamed, known);
        Slot slot = place != null && home(place) instanceof Slot each ? each : null;
        return new Sink(work, others, null, loop.operands().indexOf(place) - 1, slot);
    }

    /// Notes which outputs of a sink may take the place of an operand that it or the launch before reads.
    private void overlay(FusedLaunch.Streamed streamed, RecordedLaunch.Streamed known) {
        long[] shape = streamed.sink().shape();
        long[] strides = Shape.strides(shape);
        List<BlockView> inputs = new ArrayList<>(read(streamed.sink()));
        aligned(streamed, known)
                .forEach(view -> inputs.add(new BlockView(view.block(), view.element(), view.offset(), strides)));
        Set<Integer> others = others(streamed, known);
        inputs.removeIf(view -> others.contains(view.block()));
        overlay(inputs, written(streamed.sink()), shape);
    }

    /// Returns the result of a sink in whose place the launch may compute its own, because nothing else there is read;
    /// null if there is none.
    private static BlockView place(FusedLaunch.Streamed streamed, RecordedLaunch.Streamed known) {
        FusedLaunch.Loop loop = streamed.sink();
        Set<Integer> read = others(streamed, known);
        aligned(streamed, known).forEach(view -> read.add(view.block()));
        read(loop).forEach(view -> read.add(view.block()));
        return written(loop).stream()
                .filter(view ->
                        view.element().bytes == loop.operands().getFirst().element().bytes
                                && Shape.contiguous(loop.shape(), view.strides())
                                && !read.contains(view.block()))
                .findFirst()
                .orElse(null);
    }

    /// Returns the operands of a launch of whose elements it has no more need when a sink takes those of its result.
    private static List<BlockView> aligned(FusedLaunch.Streamed streamed, RecordedLaunch.Streamed known) {
        List<BlockView> aligned = new ArrayList<>(known.aligned());
        if (streamed.source() == null && known.x() != null) {
            aligned.add(known.x().view());
        }
        return aligned;
    }

    /// Returns the blocks of which a launch, or its source, may read any element until it ends.
    private static Set<Integer> others(FusedLaunch.Streamed streamed, RecordedLaunch.Streamed known) {
        Set<Integer> others = new HashSet<>(known.reads());
        if (streamed.source() != null) {
            streamed.inputs().forEach(view -> others.add(view.block()));
        }
        return others;
    }

    /// Returns the operands that a sink reads besides the result of the launch.
    private static List<BlockView> read(FusedLaunch.Loop sink) {
        return sink.operands().subList(1, sink.program().inputs().size());
    }

    private static List<BlockView> written(FusedLaunch.Loop loop) {
        return loop.operands()
                .subList(loop.program().inputs().size(), loop.operands().size());
    }

    private String names(List<Integer> places) {
        return places.stream().map(place -> commands.get(place).op()).collect(Collectors.joining(" + "));
    }

    private Operands operands(List<BlockView> views) {
        Tensor[] over = views.stream().map(view -> anchors.get(view.block())).toArray(Tensor[]::new);
        long[] shifts = new long[over.length];
        for (int i = 0; i < over.length; i++) {
            shifts[i] = views.get(i).offset() - recorder.place(over[i]);
        }
        return new Operands(over, shifts, new MemorySegment[over.length]);
    }

    /// The operands of a loop: each lies `shift` elements behind a tensor of the replay over its block.
    private record Operands(Tensor[] tensors, long[] shifts, MemorySegment[] memory) {
        List<Tensor> anchors() {
            return List.of(tensors);
        }

        long offset(int operand) {
            return tensors[operand].offset + shifts[operand];
        }

        /// Sets where the operands of a loop begin, and returns their memory.
        MemorySegment[] bind(OperandPlaces loop) {
            for (int i = 0; i < tensors.length; i++) {
                loop.place(i, offset(i));
                memory[i] = tensors[i].storage.segment();
            }
            return memory;
        }
    }

    private record Loop(FusedWork work, Operands operands) implements Fused {
        @Override
        public void run() {
            work.run(operands.bind(work));
        }

        @Override
        public String code() {
            return work.toString();
        }
    }

    private record Source(FusedSource work, Operands operands) {
        FusedSource bind() {
            work.bind(operands.bind(work));
            return work;
        }
    }

    /// A loop after a launch.
    ///
    /// @param kept the launch's result if that is stored
    /// @param over else the operand in whose place the launch computes its result, so that memory delivers the lines
    ///     once; negative if there is none
    /// @param slot the block of that operand, in scratch memory instead if it takes the place of another one; or null
    private record Sink(FusedSink work, Operands operands, Tensor kept, int over, Slot slot) {
        void run(Streamed launch, ElementSource source) {
            work.bind(operands.bind(work));
            if (kept != null) {
                launch.run(source, work, Launch.memory(kept), kept.offset);
            } else if (over < 0 || slot != null && slot.place != slot) {
                launch.run(source, work, null, 0);
            } else {
                launch.run(source, work, operands.memory[over], operands.offset(over));
            }
        }
    }

    /// A launch between two loops, either of which may be null.
    private record Piecewise(Source source, Sink sink, Streamed launch, String code) implements Fused {
        @Override
        public void run() {
            ElementSource from = source == null ? null : source.bind();
            if (sink != null) {
                sink.run(launch, from);
            } else {
                launch.run(from, null, Launch.memory(launch.result()), Launch.offset(launch.result()));
            }
        }
    }
}
