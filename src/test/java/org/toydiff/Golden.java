package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What PyTorch computed, as golden.py and its neighbours wrote it.
public final class Golden {
    private static final double TOLERANCE = 2e-5;

    private Golden() {}

    public record Array(long[] shape, double[] values) {
        static Array parse(String text) {
            String[] halves = text.split(" \\| ?", 2);
            return new Array(
                    halves[0].isEmpty()
                            ? new long[0]
                            : Arrays.stream(halves[0].split(","))
                                    .mapToLong(Long::parseLong)
                                    .toArray(),
                    Arrays.stream(halves[1].split(" "))
                            .mapToDouble(Array::number)
                            .toArray());
        }

        /// Python writes nan and inf.
        private static double number(String text) {
            return Double.parseDouble(text.replace("nan", "NaN").replace("inf", "Infinity"));
        }

        public Tensor tensor() {
            return tensor(DType.FLOAT32);
        }

        public Tensor tensor(DType dtype) {
            return Tensor.of(dtype, values, shape.length == 0 ? new long[] {1} : shape)
                    .reshape(shape);
        }

        public void requireEqual(Tensor actual, String what) {
            requireEqual(actual, what, TOLERANCE);
        }

        public void requireEqual(Tensor actual, String what, double tolerance) {
            assertArrayEquals(shape, actual.shape(), what + " shape");
            double[] got = actual.toDoubleArray();
            for (int i = 0; i < got.length; i++) {
                double scale = Math.max(1, Math.abs(values[i]));
                assertEquals(values[i], got[i], Double.isNaN(values[i]) ? 0 : tolerance * scale, what + " at " + i);
            }
        }
    }

    public record Case(String name, Map<String, List<Array>> parts) {
        public List<Array> all(String kind) {
            return parts.getOrDefault(kind, List.of());
        }
    }

    /// The cases of a file beside this class, in its order.
    public static List<Case> cases(String file) throws IOException {
        List<Case> cases = new ArrayList<>();
        try (var reader = new BufferedReader(
                new InputStreamReader(Golden.class.getResourceAsStream(file), StandardCharsets.US_ASCII))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                String[] words = line.split(" ", 2);
                if (words[0].equals("case")) {
                    cases.add(new Case(words[1], new HashMap<>()));
                } else {
                    cases.getLast()
                            .parts
                            .computeIfAbsent(words[0], kind -> new ArrayList<>())
                            .add(Array.parse(words[1]));
                }
            }
        }
        return cases;
    }
}
