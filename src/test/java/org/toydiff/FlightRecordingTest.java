package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.child.Child;
import org.toydiff.child.Watched;
import org.toydiff.internal.events.Events;
import org.toydiff.internal.memory.BlockPool;

/// What flight recordings are told, and that nothing is spent on telling when there is none.
class FlightRecordingTest {
    private static final List<String> ALL = List.of(
            "toydiff.ArenaOpen",
            "toydiff.ArenaClose",
            "toydiff.SlabAllocation",
            "toydiff.MemoryLimit",
            "toydiff.Backward",
            "toydiff.FunctionRecording");

    /// Its test is ProvenLoopTest: when it comes is the compiler's choice.
    private static final String KERNEL_FORM = "toydiff.KernelForm";

    private static final long NOT_APPLICABLE = Long.MIN_VALUE;

    @TempDir
    private Path folder;

    private List<RecordedEvent> recorded(Runnable program, String... events) throws Exception {
        try (var recording = new Recording()) {
            ALL.forEach(recording::disable);
            recording.disable(KERNEL_FORM);
            for (String event : events) {
                recording.enable(event).withoutThreshold();
            }
            recording.start();
            program.run();
            recording.stop();
            Path file = Files.createTempFile(folder, "toydiff", ".jfr");
            recording.dump(file);
            return RecordingFile.readAllEvents(file).stream()
                    .filter(event -> event.getEventType().getName().startsWith("toydiff."))
                    .toList();
        }
    }

    private static Map<String, Object> fields(RecordedEvent event, String... names) {
        Map<String, Object> fields = new TreeMap<>();
        for (String name : names) {
            fields.put(name, event.getValue(name));
        }
        return fields;
    }

    private static List<String> names(List<RecordedEvent> events) {
        return events.stream().map(event -> event.getEventType().getName()).toList();
    }

    @Test
    void anArenaTellsOfItsOpeningAndItsClosing() throws Exception {
        List<RecordedEvent> events = recorded(
                () -> {
                    try (var outer = TensorArena.ofShared()) {
                        try (var inner = TensorArena.ofConfined(1 << 20)) {
                            Tensor.zeros(16);
                            Tensor.zeros(1024);
                        }
                    }
                },
                "toydiff.ArenaOpen",
                "toydiff.ArenaClose");
        assertEquals(
                List.of("toydiff.ArenaOpen", "toydiff.ArenaOpen", "toydiff.ArenaClose", "toydiff.ArenaClose"),
                names(events));
        RecordedEvent outer = events.get(0);
        RecordedEvent inner = events.get(1);
        RecordedEvent innerClose = events.get(2);
        RecordedEvent outerClose = events.get(3);
        assertEquals(Map.of("kind", "shared", "limit", NOT_APPLICABLE), fields(outer, "kind", "limit"));
        assertEquals(Map.of("kind", "confined", "limit", 1L << 20), fields(inner, "kind", "limit"));
        assertEquals(
                Map.of("kind", "confined", "limit", 1L << 20, "peak", 64L + 4096, "blocks", 2L),
                fields(innerClose, "kind", "limit", "peak", "blocks"));
        assertEquals(
                Map.of("kind", "shared", "limit", NOT_APPLICABLE, "peak", 0L, "blocks", 0L),
                fields(outerClose, "kind", "limit", "peak", "blocks"));
        assertEquals(outer.getLong("arena"), outerClose.getLong("arena"));
        assertEquals(inner.getLong("arena"), innerClose.getLong("arena"));
        assertEquals(outer.getLong("arena") + 1, inner.getLong("arena"));
        assertEquals(
                Thread.currentThread().threadId(), innerClose.getThread("owner").getJavaThreadId());
        assertTrue(innerClose.getDuration().isPositive());
        assertTrue(outerClose.getDuration().compareTo(innerClose.getDuration()) >= 0);
    }

    @Test
    void anArenaOpenedUnheardTellsOfItsClosingAlone() throws Exception {
        var arena = TensorArena.ofConfined();
        List<RecordedEvent> events = recorded(arena::close, "toydiff.ArenaClose");
        assertEquals(0, events.getFirst().getLong("arena"));
        assertEquals(Duration.ZERO, events.getFirst().getDuration());
    }

    @Test
    void aDetachedArenaHasNoOwner() throws Exception {
        List<RecordedEvent> events =
                recorded(() -> TensorArena.ofDetached().close(), "toydiff.ArenaOpen", "toydiff.ArenaClose");
        for (RecordedEvent event : events) {
            assertEquals("detached", event.getString("kind"));
        }
        assertNull(events.getLast().getThread("owner"));
    }

    @Test
    void thePoolTellsHowItGrows() throws Exception {
        var pool = new BlockPool(false);
        List<RecordedEvent> events = recorded(
                () -> {
                    pool.give(pool.take(64));
                    var kept = pool.take(128);
                    pool.give(pool.take(100L << 20));
                    pool.give(kept);
                },
                "toydiff.SlabAllocation");
        assertEquals(
                List.of(Map.of("bytes", 64L << 20, "held", 64L << 20), Map.of("bytes", 100L << 20, "held", 164L << 20)),
                events.stream().map(event -> fields(event, "bytes", "held")).toList());
        pool.take(200L << 20);
        assertEquals(200L << 20, pool.slabBytes(), "the first two went back");
    }

    @Test
    void aRefusedTensorTellsWhoseLimitItWas() throws Exception {
        List<RecordedEvent> events = recorded(
                () -> {
                    try (var arena = TensorArena.ofConfined(1000)) {
                        Tensor.ones(2);
                        assertThrows(MemoryLimitException.class, () -> Tensor.zeros(DType.FLOAT64, 5, 30));
                        try (var inner = TensorArena.ofConfined()) {
                            long tooMany = Memory.limitBytes() / 4;
                            assertThrows(MemoryLimitException.class, () -> Tensor.empty(tooMany));
                        }
                    }
                },
                "toydiff.MemoryLimit");
        String[] names = {"op", "tensor", "requested", "bound", "live", "limit"};
        assertEquals(
                Map.of(
                        "op",
                        "zeros",
                        "tensor",
                        "[5, 30] float64",
                        "requested",
                        1216L,
                        "bound",
                        "arena",
                        "live",
                        64L,
                        "limit",
                        1000L),
                fields(events.getFirst(), names));
        Map<String, Object> process = fields(events.getLast(), names);
        assertEquals("process", process.get("bound"));
        assertEquals(Memory.limitBytes(), process.get("limit"));
        assertEquals(Memory.liveBytes() + 64, process.get("live"));
    }

    @Test
    void backwardTellsWhatItWalked() throws Exception {
        long[] peaks = new long[3];
        List<RecordedEvent> events = recorded(
                () -> {
                    try (var arena = TensorArena.ofConfined()) {
                        Tensor x = Tensor.ones(1000).trackGradient();
                        x.exp().tanh().sum().backward(Release.EAGER);
                        peaks[0] = arena.peakBytes();
                        Tensor y = Autograd.checkpoint(t -> t.exp().sin(), x, List.of());
                        y.releaseSchedule();
                        y.backward();
                        peaks[1] = arena.peakBytes();
                        Autograd.gradients(x, List.of(x));
                        peaks[2] = arena.peakBytes();
                        MemoryPlan.of(
                                in -> x.multiply(Autograd.gradients(x.exp(), List.of(x))
                                                .getFirst())
                                        .sum(),
                                List.of(x));
                    }
                },
                "toydiff.Backward");
        String[] names = {"call", "root", "release", "nodes", "peak"};
        assertEquals(
                List.of(
                        Map.of("call", "backward", "root", "sum", "release", "EAGER", "nodes", 3, "peak", peaks[0]),
                        Map.of(
                                "call",
                                "backward",
                                "root",
                                "checkpoint",
                                "release",
                                "AT_CLOSE",
                                "nodes",
                                1,
                                "peak",
                                peaks[1]),
                        Map.of(
                                "call",
                                "gradients",
                                "root",
                                "ones",
                                "release",
                                "AT_CLOSE",
                                "nodes",
                                0,
                                "peak",
                                peaks[2])),
                events.stream().map(event -> fields(event, names)).toList());
        assertTrue(peaks[1] > peaks[0]);
        assertTrue(events.getFirst().getDuration().isPositive());
    }

    private static void everything() {
        try (var arena = TensorArena.ofConfined(1 << 20)) {
            Tensor x = Tensor.ones(10).trackGradient();
            x.exp().sum().backward();
            assertThrows(MemoryLimitException.class, () -> Tensor.zeros(1 << 20));
            try (var compiled = CompiledFunction.of(v -> v.exp())) {
                compiled.run(x.detach());
            }
        }
        var pool = new BlockPool(false);
        pool.give(pool.take(64));
    }

    @Test
    void whatIsNotEnabledIsNotRecorded() throws Exception {
        assertEquals(List.of(), recorded(FlightRecordingTest::everything));
        List<String> all = names(recorded(FlightRecordingTest::everything, ALL.toArray(String[]::new)));
        assertEquals(
                ALL.stream().sorted().toList(), all.stream().distinct().sorted().toList());
    }

    @Test
    void recordingsOfACompiledFunctionAreTold() throws Exception {
        List<RecordedEvent> events = recorded(
                () -> {
                    try (var arena = TensorArena.ofConfined();
                            var compiled = CompiledFunction.of(x -> x.cumsum(0).cumsum(0))) {
                        compiled.run(Tensor.ones(10));
                        compiled.run(Tensor.ones(10));
                        compiled.run(Tensor.ones(20));
                    }
                },
                "toydiff.FunctionRecording");
        assertEquals(2, events.size());
        RecordedEvent last = events.getLast();
        assertEquals(2, last.getInt("number"));
        assertEquals(2, last.getInt("launches"));
        assertEquals(256, last.getLong("planned"));
        assertEquals(256, last.getLong("lowerBound"));
        assertTrue(last.getDuration().toNanos() > 0);
    }

    @Test
    void byDefaultOnlyWhatIsRareIsRecorded() throws Exception {
        recorded(FlightRecordingTest::everything, ALL.toArray(String[]::new));
        Map<String, String> defaults = FlightRecorder.getFlightRecorder().getEventTypes().stream()
                .filter(type -> type.getCategoryNames().equals(List.of("toydiff")))
                .collect(Collectors.toMap(type -> type.getName(), type -> type.getSettingDescriptors().stream()
                        .filter(setting -> !setting.getName().equals("throttle"))
                        .map(setting -> setting.getName() + "=" + setting.getDefaultValue())
                        .sorted()
                        .collect(Collectors.joining(" "))));
        assertEquals(
                Map.of(
                        "toydiff.ArenaOpen",
                        "enabled=false stackTrace=false threshold=0 ns",
                        "toydiff.ArenaClose",
                        "enabled=false stackTrace=false threshold=0 ns",
                        "toydiff.SlabAllocation",
                        "enabled=true stackTrace=true threshold=0 ns",
                        "toydiff.MemoryLimit",
                        "enabled=true stackTrace=true threshold=0 ns",
                        "toydiff.Backward",
                        "enabled=true stackTrace=false threshold=20 ms",
                        "toydiff.FunctionRecording",
                        "enabled=true stackTrace=true threshold=0 ns",
                        KERNEL_FORM,
                        "enabled=true stackTrace=false threshold=0 ns"),
                defaults);
    }

    @Test
    void withoutARecordingNothingIsMadeOnTheHeap() throws Exception {
        long[] whileRecording = new long[1];
        assertEquals(0, heapOfEvents());
        recorded(() -> whileRecording[0] = heapOfEvents(), ALL.toArray(String[]::new));
        assertEquals(0, heapOfEvents());
        assertTrue(whileRecording[0] > 0);
        assertTrue(heap(() -> TensorArena.ofConfined().close()) <= 136, "an arena and its account are two objects");
    }

    private static Object last;

    private static long heapOfEvents() {
        return heap(() -> {
            last = Events.arenaOpened("confined", 1);
            last = Events.arenaClosed();
            last = Events.slabAllocation();
            last = Events.memoryLimit();
            last = Events.backward();
        });
    }

    /// Bytes that each run makes.
    private static long heap(Runnable program) {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int n = 20_000;
        for (int i = 0; i < n; i++) {
            program.run();
        }
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < n; i++) {
            program.run();
        }
        return (threads.getCurrentThreadAllocatedBytes() - before) / n;
    }

    @Test
    void aStepLoadsNoEventAndStartsNoJmx() throws Exception {
        String out = watched("-Xlog:class+load", "-cp", Child.classPath());
        // The JVM may still load classes, and say so, after that line.
        assertTrue(out.contains("class path, Flight Recorder true, MBean servers 0\n"), out);
        assertTrue(out.contains(Events.class.getName() + " "));
        assertFalse(out.contains("jdk.jfr.Event "));
    }

    @Test
    void aJvmWithoutFlightRecorderComputesAsWell() throws Exception {
        String limit = "--limit-modules=java.base,java.management,jdk.management";
        String out = watched(limit, "-cp", Child.classPath());
        assertEquals("class path, Flight Recorder false, MBean servers 0", out);
    }

    /// What such a JVM says.
    private static String watched(String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(options));
        arguments.add(Watched.class.getName());
        Child child = Child.run(arguments);
        assertEquals(0, child.exit(), child.err());
        return child.out().strip();
    }
}
