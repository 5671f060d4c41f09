package org.toydiff.child;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.distributed.ProcessGroup;
import org.toydiff.internal.mpi.Communicator;

/// Of two processes, the first runs out of patience in the middle of a collective. It tries to close the shared arena
/// of one tensor and closes the confined arena of the other, uses its memory again and prints how many elements the
/// answer of the second process has changed.
///
/// The argument is a file. The second process answers once the first has made it, and ends once the first has deleted
/// it, because `mpirun` kills a process when the other ends.
public final class LateAnswer {
    /// So many that they are not sent before the other process receives.
    private static final int ELEMENTS = 1 << 20;

    private static final Duration PATIENCE = Duration.ofSeconds(4);

    private LateAnswer() {}

    public static void main(String[] args) throws Exception {
        Path freed = Path.of(args[0]);
        int rank = Integer.parseInt(System.getenv("OMPI_COMM_WORLD_RANK"));
        awaitOther(freed, rank);
        if (rank == 0) {
            impatient(freed);
        } else {
            late(freed);
        }
    }

    /// Waits until both JVMs have started: the first process is impatient from then on.
    private static void awaitOther(Path freed, int rank) throws Exception {
        Files.createFile(freed.resolveSibling("started" + rank));
        while (!Files.exists(freed.resolveSibling("started" + (1 - rank)))) {
            Thread.sleep(1);
        }
    }

    private static void impatient(Path freed) throws Exception {
        ProcessGroup group = ProcessGroup.mpi(PATIENCE);
        var shared = TensorArena.ofShared();
        long address = addressOfFailure(group, Tensor.ones(ELEMENTS));
        try {
            shared.close();
        } catch (IllegalStateException e) {
            System.out.println(e.getMessage());
        }
        try (var arena = TensorArena.ofConfined()) {
            Tensor reused = Tensor.full(7, 2, ELEMENTS);
            System.out.println("reused: " + (reused.segment().address() == address));
            Files.createFile(freed);
            awaitEndOfTransfer();
            int changed = 0;
            for (float element : reused.toFloatArray()) {
                changed += element == 7 ? 0 : 1;
            }
            System.out.println("changed: " + changed);
        }
        shared.close();
        Files.delete(freed);
    }

    /// Returns where the result of a failed collective would have been.
    private static long addressOfFailure(ProcessGroup group, Tensor part) {
        try (var arena = TensorArena.ofConfined()) {
            Tensor whole = Tensor.zeros(2, ELEMENTS);
            try {
                group.allGather(part, whole);
            } catch (IllegalStateException e) {
                System.out.println(e.getMessage());
            }
            return whole.segment().address();
        }
    }

    private static void awaitEndOfTransfer() throws InterruptedException {
        Thread communication = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("toydiff-communication"))
                .findFirst()
                .orElseThrow();
        while (communication.getState() != Thread.State.WAITING) {
            Thread.sleep(1);
        }
    }

    /// Makes the same call, and waits in its middle.
    private static void late(Path freed) throws Exception {
        Communicator communicator = Communicator.start(Duration.ofMinutes(1));
        try (var arena = TensorArena.ofShared()) {
            Tensor part = Tensor.ones(ELEMENTS);
            Tensor whole = Tensor.zeros(2, ELEMENTS);
            communicator.run("allGather", Communicator.agreement("allGather", "[" + ELEMENTS + "] float32"));
            while (!Files.exists(freed)) {
                Thread.sleep(1);
            }
            communicator.run("allGather", Communicator.allGather(part.segment(), whole.segment()));
            while (Files.exists(freed)) {
                Thread.sleep(1);
            }
        }
    }
}
