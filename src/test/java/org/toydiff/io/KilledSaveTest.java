package org.toydiff.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.DType;
import org.toydiff.Memory;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.child.Child;
import org.toydiff.child.Saver;

/// Kills a process while it saves, and reads the files that it leaves.
class KilledSaveTest {
    private static final int KILLS = 50;

    @TempDir
    private Path folder;

    @TempDir
    private Path outputs;

    @Test
    void whenverAProcessIsKilledThereIsAWholeCheckpoint() throws Exception {
        long live = Memory.liveBytes();
        Path file = folder.resolve("run.safetensors");
        long last = 0;
        int inTheMiddle = 0;
        for (int i = 0; i < KILLS; i++) {
            killWhileSaving(file, i);
            inTheMiddle += temporaries() > 0 ? 1 : 0;
            long step = stepOf(file);
            assertTrue(step > last, step + " after " + last);
            last = step;
        }
        assertTrue(inTheMiddle >= KILLS / 10, inTheMiddle + " of " + KILLS + " kills met a save");
        SafeTensors.save(folder.resolve("other"), Map.of());
        assertEquals(0, temporaries());
        assertEquals(live, Memory.liveBytes());
    }

    /// Lets a child save at least once and kills it some milliseconds later.
    private void killWhileSaving(Path file, int round) throws Exception {
        Path out = outputs.resolve("out");
        Process process = Child.start(
                out,
                outputs.resolve("err"),
                List.of(
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-Xmx64m",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        Child.classPath(),
                        Saver.class.getName(),
                        file.toString()));
        try {
            Child.awaitOutput(process, out, "\n");
            Thread.sleep(round * 7 % 23);
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    private int temporaries() {
        return (int) Arrays.stream(folder.toFile().list())
                .filter(name -> name.endsWith(".tmp"))
                .count();
    }

    /// Loads the checkpoint and checks that all of it is from one step.
    private static long stepOf(Path file) throws Exception {
        try (var arena = TensorArena.ofConfined()) {
            var numbers = new Saver.Numbers(Tensor.zeros(DType.INT32, Saver.SIZE));
            long step = CheckpointFile.load(file, Map.of("numbers", numbers)).step();
            Tensor expected = Tensor.emptyLike(numbers.tensor());
            expected.segment().fill((byte) step);
            assertEquals(-1, expected.segment().mismatch(numbers.tensor().segment()));
            return step;
        }
    }
}
