package org.toydiff.internal.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// When a vector form starts to run, and when it stops.
class ProvenLoopTest {
    /// A form that allocates an object for every element while it is not compiled.
    private static final class Form extends ProvenLoop {
        private boolean compiled;
        private boolean compilersAreBusy;

        /// Runs that make objects before the form is compiled.
        private int failures = Integer.MAX_VALUE;

        private int defined;
        private int emptyCalls;
        private long elements;
        private Object made;
        private long time;

        Form() {
            super("test");
        }

        @Override
        void define() {
            defined++;
        }

        @Override
        void runVectors(long count) {
            if (count == 0) {
                emptyCalls++;
            } else if (--failures < 0) {
                compiled = true;
            }
            for (int i = 0; i < count && !compiled; i++) {
                made = new byte[100];
            }
            elements += count;
        }

        @Override
        int trialLength() {
            return 8;
        }

        /// A hundredth of a second passes from one call to the next.
        @Override
        long now() {
            return time += 10_000_000;
        }

        @Override
        long compilationTime() {
            return compilersAreBusy ? time / 2_000_000 : 0;
        }
    }

    private static void advance(Form form, int runs) {
        for (int i = 0; i < runs; i++) {
            form.advance(1 << 15);
        }
    }

    @Test
    void aFormThatMakesObjectsNeverRunsAndIsTriedSeldom() {
        var form = new Form();
        advance(form, 100_000);
        assertFalse(form.isProven());
        assertTrue(form.made != null);
        assertEquals(4, form.defined, "new classes are tried, and then no more");
        assertTrue(form.elements <= 220 * form.trialLength(), form.elements + " elements in 1,000 seconds");
    }

    /// As code that meets a check that fails in each of its first runs, until it is compiled again.
    @Test
    void aFormWhoseFirstRunsMakeObjectsIsRunUntilItMakesNone() {
        var form = new Form();
        form.failures = 20;
        advance(form, 200);
        assertTrue(form.isProven());
        assertEquals(1, form.defined);
    }

    @Test
    void noClassIsDefinedWhileTheCompilersAreBusy() {
        var form = new Form();
        form.compilersAreBusy = true;
        advance(form, 100_000);
        assertEquals(1, form.defined);
        form.compilersAreBusy = false;
        advance(form, 100_000);
        assertEquals(4, form.defined);
    }

    @Test
    void loopsAndThoseWhoseVectorFormRunsAreCounted() {
        int loops = ProvenLoop.loops();
        int proven = ProvenLoop.provenLoops();
        var form = new Form();
        form.compiled = true;
        assertEquals(loops + 1, ProvenLoop.loops());
        assertEquals(proven, ProvenLoop.provenLoops());
        advance(form, 21);
        assertEquals(proven + 1, ProvenLoop.provenLoops());
        form.judge(100);
        assertEquals(proven + 1, ProvenLoop.provenLoops());
        form.judge(100);
        assertEquals(proven, ProvenLoop.provenLoops());
        form.judge(100);
        assertEquals(proven, ProvenLoop.provenLoops());
    }

    @Test
    void aFormThatMakesNoneRunsOnceItWasCalledOftenEnoughToBeCompiled() {
        var form = new Form();
        form.compiled = true;
        advance(form, 1);
        assertFalse(form.isProven());
        advance(form, 20);
        assertTrue(form.isProven());
        assertTrue(form.emptyCalls >= 5_000, form.emptyCalls + " calls");
        assertEquals(1, form.defined);
    }

    @Test
    void callsAreInProportionToTheWork() {
        var form = new Form();
        form.advance(160);
        assertEquals(10, form.emptyCalls);
        form.advance(15);
        assertEquals(10, form.emptyCalls);
        form.advance(1);
        assertEquals(11, form.emptyCalls, "short inputs count together");
    }

    @Test
    void aFormThatMakesObjectsAgainStopsAndMayComeBack() {
        var form = new Form();
        form.compiled = true;
        advance(form, 20);
        assertTrue(form.isDue(), "the first run's bytes are counted");
        form.judge(0);
        assertTrue(form.isProven());
        int runs = 1;
        while (!form.isDue()) {
            runs++;
        }
        assertEquals(65, runs, "runs between counts");
        form.judge(100);
        assertTrue(form.isProven());
        assertTrue(form.isDue(), "the run after one that allocated is counted");
        form.judge(100);
        assertFalse(form.isProven());
        form.compiled = false;
        advance(form, 20);
        assertFalse(form.isProven());
        form.compiled = true;
        advance(form, 2_000);
        assertTrue(form.isProven());
    }

    /// Runs the vector form, which makes an object or not.
    private static void run(Form form, boolean makes) {
        long before = form.begin();
        if (makes) {
            form.made = new byte[100];
        }
        form.end(before);
    }

    @Test
    void twoCountedRunsInSuccessionThatMakeObjectsStopTheForm() {
        var form = new Form();
        form.compiled = true;
        advance(form, 20);
        run(form, false);
        for (int i = 0; i < 64; i++) {
            run(form, true);
            assertTrue(form.isProven(), "not counted");
        }
        run(form, true);
        assertTrue(form.isProven(), "the first one");
        run(form, true);
        assertFalse(form.isProven(), "the second one");
    }

    @Test
    void oneCountedRunThatMakesAnObjectProvesNothing() {
        var form = new Form();
        form.compiled = true;
        advance(form, 20);
        for (int i = 0; i < 1_000; i++) {
            run(form, i % 2 == 0);
        }
        assertTrue(form.isProven(), "the JVM allocates now and then");
    }

    @Test
    void aFlightRecordingHasEachChange(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("forms.jfr");
        try (var recording = new Recording()) {
            recording.enable("toydiff.KernelForm");
            recording.start();
            var form = new Form();
            form.compiled = true;
            advance(form, 20);
            form.judge(100);
            form.judge(100);
            recording.stop();
            recording.dump(file);
        }
        assertEquals(
                List.of("test true", "test false"),
                RecordingFile.readAllEvents(file).stream()
                        .filter(event -> event.getEventType().getName().equals("toydiff.KernelForm"))
                        .map(event -> event.getString("kernel") + " " + event.getBoolean("vector"))
                        .toList());
    }
}
