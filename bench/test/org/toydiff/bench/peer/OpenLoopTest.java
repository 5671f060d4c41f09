package org.toydiff.bench.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/// The open loop and its percentiles.
class OpenLoopTest {
    private final List<Integer> requests = new ArrayList<>();

    private double answer(int request) {
        requests.add(request);
        if (request == 0) {
            try {
                TimeUnit.MILLISECONDS.sleep(300);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        return 0;
    }

    @Test
    void requestsThatWaitForASlowOneCountWithTheirWaitAndNoneIsLeftOut() {
        // One request of 300 ms delays the next ones, which are due every 10 ms, by 290, 280, 270 … ms.
        Map<String, ?> answer = new OpenLoop(100, this::answer).run(0, 1);
        assertTrue((Double) answer.get("max_us") >= 300_000, answer::toString);
        assertTrue((Double) answer.get("p99_us") >= 290_000, answer::toString);
        assertEquals(IntStream.range(0, 100).boxed().toList(), requests);
    }

    @Test
    void aPercentileIsTheSmallestLatencyThatItsShareDoesNotExceed() {
        long[] sorted = LongStream.rangeClosed(1, 1000).map(i -> i * 1000).toArray();
        assertEquals(500, OpenLoop.percentile(sorted, 0.5));
        assertEquals(990, OpenLoop.percentile(sorted, 0.99));
        assertEquals(999, OpenLoop.percentile(sorted, 0.999));
        assertEquals(1000, OpenLoop.percentile(sorted, 1));
        assertEquals(7, OpenLoop.percentile(new long[] {7000}, 0.5));
    }
}
