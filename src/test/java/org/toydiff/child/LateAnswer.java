package org.toydiff.child;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.distributed.ProcessGroup;
import org.toydiff.internal.mpi.Communicator;
import org.toydiff.internal.mpi.MpiType;

/// Of two processes, the first runs out of patience in the middle of a collective, closes the arena of its tensor, uses
/// the memory for another one and prints how many of its elements the answer of the second process has changed. The
/// argument is a file that does not exist: made by the first, for which the second waits.
public final class LateAnswer {
    /// So many that they are not sent before the other process receives.
    private static final int ELEMENTS = 1 << 20;

    private static final Duration PATIENCE = Duration.ofSeconds(4);

    private LateAnswer() {}

    public static void main(String[] args) throws Exception {
        Path freed = Path.of(args[0]);
        if (System.getenv("OMPI_COMM_WORLD_RANK").equals("0")) {
            impatient(freed);
        } else {
            late(freed);
        }
    }

    private static void impatient(Path freed) throws Exception {
        ProcessGroup group = ProcessGroup.mpi(PATIENCE);
        long address = addressOfFailure(group);
        try (var arena = TensorArena.ofConfined()) {
            Tensor reused = Tensor.full(7, ELEMENTS);
            System.out.println("reused: " + (reused.segment().address() == address));
            Files.createFile(freed);
            awaitEndOfTransfer();
            int changed = 0;
            for (float element : reused.toFloatArray()) {
                changed += element == 7 ? 0 : 1;
            }
            System.out.println("changed: " + changed);
        }
    }

    /// Returns where the tensor of a failed collective was.
    private static long addressOfFailure(ProcessGroup group) {
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(ELEMENTS);
            try {
                group.allReduce(x);
            } catch (IllegalStateException e) {
                System.out.println(e.getMessage());
            }
            return x.segment().address();
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
            Tensor x = Tensor.ones(ELEMENTS);
            communicator.run("allReduce", Communicator.agreement("allReduce", "[" + ELEMENTS + "] float32"));
            while (!Files.exists(freed)) {
                Thread.sleep(1);
            }
            communicator.run("allReduce", Communicator.allReduce(x.segment(), MpiType.FLOAT32));
        }
    }
}
