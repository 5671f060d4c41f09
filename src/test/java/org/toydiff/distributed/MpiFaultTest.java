package org.toydiff.distributed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.toydiff.child.Child;
import org.toydiff.child.Collected;
import org.toydiff.child.LateAnswer;

/// Real processes, started by `mpirun`, that differ or fail: skipped where there is none.
class MpiFaultTest {
    /// The longest time from a fault to the end of the job.
    private static final double PROMPT_SECONDS = 30;

    @BeforeAll
    static void thereIsMpi() {
        MpiJob.requireMpi();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "other shape | rank 0: allReduce [3] float32, rank 1: allReduce [4] float32",
                "other call | rank 0: broadcast [2] float32 from rank 0, rank 1: barrier",
                "other model | rank 0: DataParallel parameter weight [3, 4] float32, rank 1: DataParallel parameter weight [3, 5]",
                "state of one | rank 0: DataParallel.backward, rank 1: Optimizer.stateDict",
                "other shards | rank 0: DataParallel with 2 shards and SGD, rank 1: DataParallel with 4 shards",
                "synchronization of one | rank 0: DataParallel with synchronizeBatchNorm(), rank 1: DataParallel.backward",
                "other mode | rank 0: allGather [4] float64, rank 1: DataParallel.backward",
                "other rate | rank 0: DataParallel with a group of 2 parameters, learning rate 0.1, weight decay 0.0"
            })
    void whatDiffersIsReportedByEveryRank(String fault, String message) throws Exception {
        MpiJob job = MpiJob.run(2, Collected.class, fault);
        assertNotEquals(0, job.exit());
        assertTrue(job.seconds() < PROMPT_SECONDS, job::toString);
        for (int rank = 0; rank < 2; rank++) {
            assertTrue(job.errors(rank).contains(message), job::toString);
            assertTrue(job.errors(rank).contains("rank " + rank + " of 2 failed"), job::toString);
        }
    }

    @Test
    void synchronizedBatchNormalizationMayHaveParametersThatOneProcessDoesNotUse() throws Exception {
        MpiJob job = MpiJob.run(2, Collected.class, "unused parameter");
        assertEquals(0, job.exit(), job::toString);
        for (int rank = 0; rank < 2; rank++) {
            assertEquals(List.of("[0.0, 0.0, 0.0]"), job.out().get(rank), job::toString);
        }
    }

    @Test
    void aLateAnswerDoesNotReachMemoryThatWasFreedMeanwhile(@TempDir Path folder) throws Exception {
        MpiJob job = MpiJob.run(2, LateAnswer.class, folder.resolve("freed").toString());
        List<String> lines = job.out().getFirst();
        assertTrue(
                lines.getFirst().startsWith("allGather: no answer from the other processes for 4 seconds;"),
                job::toString);
        assertEquals(
                List.of(
                        "close: an op on another thread is using a tensor of this arena; wait for it, then close",
                        "reused: true",
                        "changed: 0"),
                lines.subList(1, lines.size()),
                job::toString);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "exception | the data of this rank is missing | rank 1: close",
                "exception in a step | the file of step 2 cannot be read | rank 0 of 2 ends before",
                "weight 0 | a shard of weight 0 has no backward | rank 0 of 2 ends before",
                "exit | rank 1 of 2 ends before | rank 0 of 2 ends before"
            })
    void aRankThatFailsEndsTheJobWithAMessageOfEveryRank(String fault, String ofOne, String ofOther) throws Exception {
        MpiJob job = MpiJob.run(2, Collected.class, fault);
        assertNotEquals(0, job.exit());
        assertTrue(job.seconds() < PROMPT_SECONDS, job::toString);
        assertTrue(job.errors(1).contains(ofOne), job::toString);
        assertTrue(job.errors(0).contains(ofOther), job::toString);
    }

    @Test
    void aRankThatIsKilledEndsTheJob(@TempDir Path folder) throws Exception {
        Process job = MpiJob.start(folder, 2, Collected.class, "endless");
        try {
            List<Long> pids = pidsOfSteppingRanks(job, folder);
            long killed = System.nanoTime();
            ProcessHandle.of(pids.get(1)).orElseThrow().destroyForcibly();
            MpiJob ended = MpiJob.end(job, folder, 2, killed);
            assertNotEquals(0, ended.exit());
            assertTrue(ended.seconds() < PROMPT_SECONDS, ended::toString);
            assertTrue(
                    ended.errors(0).contains("rank 0 of 2 ends before its process group is closed"), ended::toString);
            awaitEnd(pids.get(0));
        } finally {
            job.destroy();
        }
    }

    @Test
    void anInterruptLeavesNoProcess(@TempDir Path folder) throws Exception {
        Process job = MpiJob.start(folder, 2, Collected.class, "endless");
        try {
            List<Long> pids = pidsOfSteppingRanks(job, folder);
            new ProcessBuilder("kill", "-INT", String.valueOf(job.pid()))
                    .start()
                    .waitFor();
            MpiJob ended = MpiJob.end(job, folder, 2, System.nanoTime());
            assertTrue(ended.seconds() < PROMPT_SECONDS, ended::toString);
            for (long pid : pids) {
                awaitEnd(pid);
            }
        } finally {
            job.destroy();
        }
    }

    /// Waits until both ranks have made a step.
    private static List<Long> pidsOfSteppingRanks(Process job, Path folder) throws Exception {
        List<Long> pids = new ArrayList<>();
        for (int rank = 0; rank < 2; rank++) {
            pids.add(Long.parseLong(MpiJob.awaitLine(job, folder, rank, "process ")));
            MpiJob.awaitLine(job, folder, rank, "stepped");
        }
        return pids;
    }

    /// Waits until a process does not run any more: it may be there as a zombie, which init has not collected.
    private static void awaitEnd(long pid) throws Exception {
        Path status = Path.of("/proc", String.valueOf(pid), "stat");
        long begun = System.nanoTime();
        while (Files.exists(status) && !Files.readString(status).contains(") Z ")) {
            assertTrue(System.nanoTime() - begun < PROMPT_SECONDS * 1e9, "process " + pid + " still runs");
            Thread.sleep(20);
        }
    }

    @Test
    void aMissingLibraryIsReportedWithThePlacesAndTheRemedy() throws Exception {
        Child child = Child.run(List.of(
                "--enable-native-access=ALL-UNNAMED",
                "-Dtoydiff.mpi=/no/such/libmpi.so",
                "-cp",
                Child.classPath(),
                Collected.class.getName(),
                "collectives"));
        assertNotEquals(0, child.exit());
        assertTrue(child.err().contains("/no/such/libmpi.so: there is no such file"), child.err());
        assertTrue(child.err().contains("Debian: openmpi-bin"), child.err());
        assertTrue(child.err().contains("-Dtoydiff.mpi=/path/to/libmpi.so.40"), child.err());
    }
}
