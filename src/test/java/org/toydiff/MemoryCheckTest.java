package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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

    @Test
    @SuppressWarnings("restricted")
    void temporariesOfAReplayAreNaNOnceTheirLastReaderHasRun() {
        assumeTrue(Ledger.CHECKED, "not in the checked mode");
        try (var arena = TensorArena.ofConfined();
                var compiled = CompiledFunction.of(x -> x.matmul(x).softmax(1).matmul(x))) {
            compiled.run(Tensor.rand(8, 8));
            MemorySegment y = compiled.run(Tensor.rand(8, 8)).segment();
            ExecutionPlan plan = compiled.plan();
            assertEquals(3, plan.blocks().size(), plan::toString);
            ExecutionPlan.Block result = plan.blocks().getLast();
            MemorySegment block =
                    MemorySegment.ofAddress(y.address() - result.offset()).reinterpret(plan.plannedBytes());
            assertTrue(plan.plannedBytes() > result.bytes(), plan::toString);
            for (long at = 0; at < plan.plannedBytes(); at += Float.BYTES) {
                boolean isResult = at >= result.offset() && at < result.offset() + result.bytes();
                assertEquals(!isResult, Float.isNaN(block.get(ValueLayout.JAVA_FLOAT, at)), "byte " + at);
            }
        }
    }
}
