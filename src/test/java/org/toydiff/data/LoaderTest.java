package org.toydiff.data;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// A base of loaders' tests: no thread of a loader outlives a test.
@Timeout(60)
abstract class LoaderTest extends ArenaTest {
    static final String THREAD = "toydiff-loader";

    LoaderTest() {
        super(TensorArena::ofShared);
    }

    @AfterEach
    void noThreadIsLeftBehind() {
        assertEquals(List.of(), loaderThreads());
    }

    static List<Thread> loaderThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals(THREAD))
                .toList();
    }

    /// The loader's thread, once it has nothing more to do.
    static Thread waiting() {
        Thread thread = loaderThreads().getFirst();
        while (thread.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        return thread;
    }

    /// Images of 2 × 3, of which number i has the pixels 6·i to 6·i + 5, and the target i.
    static Dataset images(int n) {
        return new TensorDataset(Tensor.arange(0, 6.0 * n, 1).reshape(n, 2, 3), Tensor.arange(DType.INT64, 0, n, 1));
    }

    /// Returns the contents of a batch as text, to compare.
    static String text(Batch batch) {
        return Arrays.toString(batch.x().shape())
                + Arrays.toString(batch.x().toFloatArray())
                + Arrays.toString(batch.y().toLongArray());
    }

    static List<String> rest(Iterator<Batch> batches) {
        List<String> texts = new ArrayList<>();
        batches.forEachRemaining(batch -> texts.add(text(batch)));
        return texts;
    }

    static long[] epoch(DataLoader loader) {
        List<Long> targets = new ArrayList<>();
        for (Batch batch : loader) {
            long[] numbers = batch.y().toLongArray();
            for (int i = 0; i < numbers.length; i++) {
                assertEquals(6 * numbers[i], batch.x().at(i, 0, 0));
                targets.add(numbers[i]);
            }
        }
        return targets.stream().mapToLong(Long::longValue).toArray();
    }
}
