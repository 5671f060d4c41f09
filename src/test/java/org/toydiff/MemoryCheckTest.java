package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;
import org.toydiff.internal.kernels.ContiguousKernels;
import org.toydiff.internal.memory.Ledger;

/// The checked mode, in which most tests run, notices what would otherwise hit a neighbour in silence.
class MemoryCheckTest {
    @Test
    void aKernelSeesItsOwnOperandAlone() {
        assumeTrue(Ledger.CHECKED, "not in the checked mode");
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(10);
            assertEquals(40, x.storage.segment().byteSize());
            assertThrows(IndexOutOfBoundsException.class, () -> ContiguousKernels.of(false)
                    .fill(x.storage.segment(), x.offset, 1000, 1));
        }
    }

    @Test
    void nothingIsLaunchedOnWhatIsFreed() {
        Tensor x;
        try (var arena = TensorArena.ofConfined()) {
            x = Tensor.ones(10);
        }
        assertThrows(IllegalStateException.class, () -> Launch.fill(x, 1));
    }
}
