package org.toydiff.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.toydiff.CustomOp;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Random calls and random graphs, of which each seed gives the same ones: elements and gradients are right, only what
/// is documented is thrown, nothing else is touched and nothing is left behind.
class FuzzTest {
    /// Said elsewhere, or not about tensors.
    private static final Set<String> NOT_CALLED = Set.of("custom", "equals", "hashCode");

    @Test
    void randomCallsAndGraphsDoWhatIsDocumented() throws InterruptedException {
        Map<String, String> findings =
                Fuzzer.run(Long.getLong("toydiff.fuzz.seed", 0), Long.getLong("toydiff.fuzz.calls", 20_000));
        assertTrue(findings.isEmpty(), () -> "\n" + String.join("\n", findings.values()));
    }

    @Test
    void everyPublicOpIsAmongTheCalls() {
        Set<String> called = new TreeSet<>();
        Calls.ALL.forEach(row -> called.add(row.op()));
        Set<String> missing = new TreeSet<>();
        for (Method method : Tensor.class.getMethods()) {
            boolean op =
                    Modifier.isPublic(method.getModifiers()) && Tensor.class.isAssignableFrom(method.getReturnType());
            if (op && !called.contains(method.getName()) && !NOT_CALLED.contains(method.getName())) {
                missing.add(method.getName());
            }
        }
        assertEquals(Set.of(), missing);
    }

    /// `y = 2x` that says its gradient is 3.
    private record WrongDouble() implements CustomOp {
        @Override
        public void compute(Tensor[] inputs, Tensor y) {
            y.copyFrom(inputs[0].multiply(2));
        }

        @Override
        public Tensor gradient(int input, Tensor g, Tensor[] inputs, Tensor y) {
            return g.multiply(3);
        }
    }

    @Test
    void aWrongGradientIsFoundAndItsGraphMadeSmall() {
        var leaf = new Graph.Leaf(true, new long[] {2}, new double[] {1, 2});
        var graph = new Graph(
                List.of(leaf),
                List.of(
                        new Graph.Step("{0}.tanh()", v -> v[0].tanh(), 0),
                        new Graph.Step("wrong({0})", v -> Tensor.custom(new WrongDouble(), v[0]), 1),
                        new Graph.Step("{0}.exp()", v -> v[0].exp(), 2),
                        new Graph.Step("{0}.sum()", v -> v[0].sum(), 3)));
        Finding finding = assertThrows(Finding.class, () -> GraphCheck.check(graph, 0));
        assertTrue(finding.getMessage().startsWith("the gradient of v0 is wrong"), finding.getMessage());
        Graph small = GraphShrinker.shrink(graph, part -> {
            try {
                GraphCheck.check(part, 0);
                return false;
            } catch (Finding same) {
                return same.kind().equals(finding.kind());
            }
        });
        assertEquals(
                List.of("wrong({0})", "{0}.sum()"),
                small.steps().stream().map(Graph.Step::text).toList());
    }

    @Test
    void anElementThatIsNotAsTheReferenceSaysIsFound() {
        try (var machine = new Machine(0)) {
            var choice = new Choice(1);
            var x = machine.of(choice, DType.FLOAT32, new double[] {1, 2}, 2);
            var attempt = new Attempt(machine, choice, "x.negative()").reads(x).expects(() -> x.known);
            Finding finding = assertThrows(Finding.class, () -> attempt.gives(x.tensor::negative));
            assertEquals("x.negative(): element 0 of [2] is -1.0 and not 1.0", finding.getMessage());
        }
    }

    @Test
    void aTensorThatChangesUnaskedIsFound() {
        try (var machine = new Machine(0)) {
            var choice = new Choice(1);
            var x = machine.of(choice, DType.FLOAT32, new double[] {1, 2}, 2);
            x.tensor.copyFrom(x.tensor.add(1));
            Finding finding = assertThrows(Finding.class, machine::verify);
            assertTrue(finding.getMessage().startsWith("another tensor was changed"), finding.getMessage());
        }
    }

    @Test
    void anUndocumentedExceptionIsFound() {
        try (var machine = new Machine(0)) {
            var attempt = new Attempt(machine, new Choice(1), "null.exp()");
            Finding finding = assertThrows(Finding.class, () -> attempt.gives(() -> ((Tensor) null).exp()));
            assertEquals("NullPointerException", finding.getCause().getClass().getSimpleName());
        }
    }
}
