package org.toydiff.distributed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// A group of one process. The checks of tensors are those of any number; [MpiTest] has more processes.
class ProcessGroupTest {
    private static String refused(Executable call) {
        return assertThrows(IllegalArgumentException.class, call).getMessage();
    }

    @Test
    void aGroupOfOneKeepsAndCopiesElements() {
        try (var arena = TensorArena.ofConfined();
                var group = ProcessGroup.single()) {
            assertEquals(0, group.rank());
            assertEquals(1, group.size());
            Tensor x = Tensor.of(1, 2);
            group.allReduce(x);
            group.broadcast(x, 0);
            group.barrier();
            Tensor whole = Tensor.zeros(1, 2);
            group.allGather(x, whole);
            assertArrayEquals(new float[] {1, 2}, x.toFloatArray());
            assertArrayEquals(new float[] {1, 2}, whole.toFloatArray());
        }
    }

    @Test
    void tensorsThatDoNotFitAreRefusedByName() {
        try (var arena = TensorArena.ofConfined();
                var group = ProcessGroup.single()) {
            Tensor x = Tensor.zeros(2, 3);
            assertEquals(
                    "allReduce: [3, 2] float32 is not contiguous; use copyTo(arena) for one that is, and copyFrom to bring"
                            + " results back",
                    refused(() -> group.allReduce(x.transpose())));
            assertEquals(
                    "allReduce: [2] bool cannot be added up; cast it to a floating dtype, INT32 or INT64",
                    refused(() -> group.allReduce(Tensor.zeros(DType.BOOL, 2))));
            assertEquals("broadcast: there is no rank 1 in a group of 1", refused(() -> group.broadcast(x, 1)));
            assertEquals(
                    "allGather: the parts [2, 3] float32 of 1 processes do not make a whole [2, 3] float32; it must be"
                            + " [1, 2, 3] float32",
                    refused(() -> group.allGather(x, x)));
            Tensor whole = Tensor.zeros(1, 2, 3);
            assertEquals(
                    "allGather: the part [2, 3] float32 overlaps the whole in memory; copyTo(arena) gives it its own",
                    refused(() -> group.allGather(whole.get(0), whole)));
        }
    }

    @Test
    void memoryThatCannotBeWrittenIsRefused() {
        try (var memory = Arena.ofConfined();
                var arena = TensorArena.ofConfined();
                var group = ProcessGroup.single()) {
            var bytes = memory.allocate(ValueLayout.JAVA_FLOAT, 2).asReadOnly();
            Tensor x = Tensor.wrap(bytes, DType.FLOAT32, 2);
            assertEquals("allReduce: the memory of [2] float32 is read-only", refused(() -> group.allReduce(x)));
        }
    }

    @Test
    void aClosedGroupAndClosedArenasAreRefused() {
        try (var arena = TensorArena.ofConfined();
                var group = ProcessGroup.single()) {
            Tensor freed;
            try (var inner = TensorArena.ofConfined()) {
                freed = Tensor.zeros(2);
            }
            assertThrows(IllegalStateException.class, () -> group.allReduce(freed));
            group.close();
            group.close();
            Tensor x = Tensor.zeros(2);
            assertEquals(
                    "allReduce: the process group is closed",
                    assertThrows(IllegalStateException.class, () -> group.allReduce(x))
                            .getMessage());
            assertThrows(IllegalStateException.class, group::barrier);
        }
    }

    @Test
    void aLibraryThatIsMissingLeavesNoThread() throws Exception {
        String before = System.getProperty("toydiff.mpi");
        System.setProperty("toydiff.mpi", "/no/such/libmpi.so");
        try {
            assertThrows(UnsatisfiedLinkError.class, ProcessGroup::mpi);
            // Without one it can be tried again.
            assertThrows(UnsatisfiedLinkError.class, ProcessGroup::mpi);
        } finally {
            if (before == null) {
                System.clearProperty("toydiff.mpi");
            } else {
                System.setProperty("toydiff.mpi", before);
            }
        }
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().equals("toydiff-communication")) {
                assertTrue(thread.join(Duration.ofSeconds(30)), "the thread still runs");
            }
        }
    }

    @Test
    void thePatienceIsPositive() {
        assertEquals("mpi: the patience PT0S must be positive", refused(() -> ProcessGroup.mpi(Duration.ZERO)));
    }
}
