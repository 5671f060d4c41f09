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
import org.toydiff.internal.fusion.FusedSource;
import org.toydiff.internal.fusion.FusedWork;
import org.toydiff.internal.fusion.Fuser;
import org.toydiff.internal.fusion.RecordedLaunch;
import org.toydiff.internal.fusion.RecordedLaunch.Other;
import org.toydiff.internal.launch.ElementSource;
import org.toydiff.internal.launch.Shape;
import org.toydiff.internal.memory.Storage;

/// Turns the commands of a recorded run into those of its replays: elementwise launches that can run in one loop do,
/// and a reduction or softmax reads what such a loop computes.
final class CommandFusion {
    private final Recorder recorder;
    private final List<Command> commands;
    private final Map<Object, Integer> blocks = new IdentityHashMap<>();

    /// A tensor of the replay over each block.
    private final List<Tensor> anchors = new ArrayList<>();

    /// The blocks outside of the recording, which code of the caller's may use too.
    private final Set<Integer> persistent = new HashSet<>();

    private final List<Overlay> overlays = new ArrayList<>();

    /// A launch that can read its first operand from a source.
    interface SourceReader extends Runnable {
        /// Returns the first operand.
        Tensor x();

        /// Returns the columns of the matrix as which it asks for that operand, or 0 if it does not.
        long columns();

        void run(ElementSource source);
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
        } else if (command.body() instanceof SourceReader launch) {
            Tensor x = launch.x();
            reads.addAll(blocks(command.reads().stream().filter(t -> t != x).toList()));
            known = RecordedLaunch.consumer(view(x), x.shape, launch.columns(), reads, writes);
        }
        if (known == null) {
            reads.addAll(blocks(command.reads()));
            known = new Other(reads, writes);
        }
        return known;
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
            case FusedLaunch.Fed fed -> fed(fed);
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
        int inputs = loop.program().inputs().size();
        overlay(
                loop.operands().subList(0, inputs),
                loop.operands().subList(inputs, loop.operands().size()),
                loop.shape());
        var body = new Loop(new FusedWork(loop.program(), loop.operands(), loop.shape()), operands(loop.operands()));
        Command last = commands.get(loop.launches().getLast());
        List<Tensor> used = body.operands.anchors();
        return new Command(names(loop.launches()), body, last.result(), used, used, false);
    }

    private Command fed(FusedLaunch.Fed fed) {
        Command reader = commands.get(fed.launch());
        var source = new FusedSource(fed.program(), fed.inputs(), fed.shape(), fed.columns());
        var body = new Fed(source, operands(fed.inputs()), (SourceReader) reader.body());
        List<Tensor> reads = new ArrayList<>(body.operands.anchors());
        Tensor x = body.reader.x();
        reader.reads().stream().filter(t -> t != x).forEach(reads::add);
        List<Integer> places = new ArrayList<>(fed.producers());
        places.add(fed.launch());
        return new Command(names(places), body, reader.result(), reads, reader.writes(), false);
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

        MemorySegment[] bind() {
            for (int i = 0; i < tensors.length; i++) {
                memory[i] = tensors[i].storage.segment();
            }
            return memory;
        }
    }

    private record Loop(FusedWork work, Operands operands) implements Fused {
        @Override
        public void run() {
            for (int i = 0; i < operands.tensors.length; i++) {
                work.place(i, operands.offset(i));
            }
            work.run(operands.bind());
        }

        @Override
        public String code() {
            return work.toString();
        }
    }

    private record Fed(FusedSource source, Operands operands, SourceReader reader) implements Fused {
        @Override
        public void run() {
            for (int i = 0; i < operands.tensors.length; i++) {
                source.place(i, operands.offset(i));
            }
            source.bind(operands.bind());
            reader.run(source);
        }

        @Override
        public String code() {
            return source.toString();
        }
    }
}
