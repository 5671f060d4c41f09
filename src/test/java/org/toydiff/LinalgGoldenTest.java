package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/// Linear algebra and einsum against PyTorch 2.13: values and gradients that golden_linalg.py wrote.
@Tag("kernels")
class LinalgGoldenTest {
    private static final double TOLERANCE = 1e-9;

    private static Tensor apply(String name, List<Tensor> xs) {
        Tensor x = xs.getFirst();
        String[] words = name.split(" ", 2);
        return switch (words[0]) {
            case "einsum" -> Tensor.einsum(words[1], xs.toArray(Tensor[]::new));
            case "norm" -> Linalg.norm(x, Double.parseDouble(words[1].replace("inf", "Infinity")));
            case "matrixPower" -> Linalg.matrixPower(x, Integer.parseInt(words[1]));
            case "solve", "solveVector" -> Linalg.solve(x, xs.get(1));
            case "triangularSolveTrue" -> Linalg.triangularSolve(x, xs.get(1), true);
            case "triangularSolveFalse" -> Linalg.triangularSolve(x, xs.get(1), false);
            case "lstsq" -> Linalg.lstsq(x, xs.get(1));
            case "pinv" -> Linalg.pinv(x);
            case "qr" -> flat(Linalg.qr(x).q(), Linalg.qr(x).r());
            case "svd" -> svd(Linalg.svd(x));
            case "eigh" -> eigh(Linalg.eigh(x.add(x.transposeLast())));
            case "nuclearNorm" -> Linalg.nuclearNorm(x);
            case "trace" -> Linalg.trace(x);
            case "inverse" -> Linalg.inverse(x);
            case "det" -> Linalg.det(x);
            case "logDet" -> Linalg.logDet(x).logAbsDet();
            case "cholesky" ->
                Linalg.cholesky(x.matmul(x.transposeLast())
                        .add(Tensor.eye(DType.FLOAT64, x.size(-1)).multiply(0.5)));
            default -> throw new AssertionError(name);
        };
    }

    private static Tensor svd(Linalg.Svd svd) {
        return flat(svd.u().abs(), svd.s().unsqueeze(-1), svd.vt().abs());
    }

    private static Tensor eigh(Linalg.Eigh eigh) {
        return flat(eigh.values().unsqueeze(-1), eigh.vectors().abs());
    }

    private static Tensor flat(Tensor... parts) {
        return Tensor.concat(
                -1, Arrays.stream(parts).map(part -> part.flatten(-2, -1)).toArray(Tensor[]::new));
    }

    @TestFactory
    Stream<DynamicTest> valuesAndGradientsAreThoseOfPyTorch() throws IOException {
        List<Golden.Case> cases = Golden.cases("golden_linalg.txt");
        assertTrue(cases.size() > 60, cases.size() + " cases");
        return cases.stream()
                .map(golden -> dynamicTest(
                        golden.name() + " "
                                + Arrays.toString(golden.all("in").getFirst().shape()),
                        () -> {
                            for (Release release : Release.values()) {
                                try (var arena = TensorArena.ofConfined()) {
                                    requireEqual(golden, release);
                                }
                            }
                        }));
    }

    private static void requireEqual(Golden.Case golden, Release release) {
        List<Tensor> inputs = golden.all("in").stream()
                .map(array -> array.tensor(DType.FLOAT64).trackGradient())
                .toList();
        Tensor out = apply(golden.name(), inputs);
        golden.all("out").getFirst().requireEqual(out, "output", TOLERANCE);
        out.backward(golden.all("g").getFirst().tensor(DType.FLOAT64), release);
        for (int i = 0; i < inputs.size(); i++) {
            golden.all("grad").get(i).requireEqual(inputs.get(i).gradient(), release + " gradient " + i, TOLERANCE);
        }
    }
}
