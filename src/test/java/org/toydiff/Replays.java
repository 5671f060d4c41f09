package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/// Compares compiled functions with the functions themselves.
final class Replays {
    private Replays() {}

    /// Requires equal bits of a function and its replays, which draw the same random numbers, and returns the plan.
    static ExecutionPlan same(UnaryOperator<Tensor> function, Tensor... inputs) {
        return sameLists(x -> List.of(function.apply(x)), inputs);
    }

    /// As [#same], of a function with several results.
    static ExecutionPlan sameLists(Function<Tensor, List<Tensor>> function, Tensor... inputs) {
        try (var compiled = CompiledFunction.ofList(all -> function.apply(all.getFirst()))) {
            for (int i = 0; i < inputs.length; i++) {
                Tensor.manualSeed(i);
                List<Tensor> expected = function.apply(inputs[i]);
                Tensor.manualSeed(i);
                List<Tensor> actual = compiled.run(List.of(inputs[i]));
                for (int k = 0; k < expected.size(); k++) {
                    assertArrayEquals(
                            expected.get(k).toDoubleArray(),
                            actual.get(k).toDoubleArray(),
                            "result " + k + " of run " + i + " of "
                                    + compiled.plan().launches());
                }
            }
            return compiled.plan();
        }
    }
}
