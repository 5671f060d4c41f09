package org.toydiff.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.toydiff.ArenaTest;
import org.toydiff.Memory;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Data sets that do not return: every wait ends, and every thread ends once its data set returns.
@Timeout(60)
class BlockedDataTest extends ArenaTest {
    private static final Duration SHORT = Duration.ofMillis(20);

    private final Semaphore entered = new Semaphore(0);
    private final CountDownLatch release = new CountDownLatch(1);

    BlockedDataTest() {
        super(TensorArena::ofShared);
    }

    private static Dataset four() {
        return new TensorDataset(Tensor.ones(4, 2), Tensor.zeros(4));
    }

    /// A data set that returns its first batch and then waits until it is interrupted.
    private Dataset patient() {
        var first = new AtomicBoolean(true);
        return four().map(batch -> {
            if (first.getAndSet(false)) {
                return batch;
            }
            try {
                release.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException("told to end", e);
            }
            return batch;
        });
    }

    /// A data set that waits and ignores interrupts.
    private Dataset deaf() {
        return four().map(batch -> {
            entered.release();
            boolean interrupted = false;
            while (release.getCount() > 0) {
                try {
                    release.await();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            return batch;
        });
    }

    private static List<Thread> loaderThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("toydiff-loader"))
                .toList();
    }

    private static Prefetcher prefetch(Dataset dataset) {
        return new Prefetcher(new Epoch(dataset, 2, false, List.of(), 0, 0, null, ShardRange.ALL), 0, 1, SHORT);
    }

    @Test
    void closingInterruptsADataSetThatDoesNotReturnInTime() {
        Prefetcher prefetch = prefetch(patient());
        prefetch.next(0);
        prefetch.close();
        assertEquals(List.of(), loaderThreads());
    }

    @Test
    void anInterruptedCallerDoesNotWaitForTheDataSet() {
        var loader = DataLoader.of(patient(), 2).prefetch(1);
        loader.iterator().next();
        Thread.currentThread().interrupt();
        loader.close();
        assertTrue(Thread.interrupted(), "the interrupt is kept");
        assertEquals(List.of(), loaderThreads());
    }

    @Test
    void aThreadThatIgnoresInterruptsIsReportedAndEndsOnceItsDataSetReturns() throws InterruptedException {
        Dataset deaf = deaf();
        long before = Memory.liveBytes();
        var loader = DataLoader.of(deaf, 2).prefetch(1);
        Iterator<Batch> batches = loader.iterator();
        entered.acquire();
        Thread thread = loaderThreads().getFirst();
        Thread.currentThread().interrupt();
        assertThrows(IllegalStateException.class, batches::next);
        var e = assertThrows(IllegalStateException.class, loader::close);
        assertTrue(Thread.interrupted(), "the interrupt is kept");
        assertEquals(
                "close: the data set is still reading a batch, despite an interrupt; the loader's thread frees its"
                        + " memory and ends when the data set returns",
                e.getMessage());
        release.countDown();
        thread.join();
        assertEquals(before, Memory.liveBytes());
        loader.close();
    }

    @Test
    void closingHasAnEndWithoutAnInterruptToo() throws InterruptedException {
        Prefetcher prefetch = prefetch(deaf());
        entered.acquire();
        Thread thread = loaderThreads().getFirst();
        assertThrows(IllegalStateException.class, prefetch::close);
        release.countDown();
        thread.join();
        prefetch.close();
    }

    @Test
    void aDataSetThatLeavesAnInterruptBehindTakesNoBatchAway() {
        Dataset careless = four().map(batch -> {
            Thread.currentThread().interrupt();
            return batch;
        });
        try (var loader = DataLoader.of(careless, 4).prefetch(1)) {
            Batch batch = loader.iterator().next();
            Thread thread = loaderThreads().getFirst();
            while (thread.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
            assertEquals(1, batch.x().at(3, 1));
        }
        assertEquals(List.of(), loaderThreads());
    }
}
