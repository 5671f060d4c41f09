package org.toydiff.internal.blas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.toydiff.Blas;
import org.toydiff.child.Child;
import org.toydiff.child.Probe;
import org.toydiff.internal.mkl.Mkl;

/// The oneMKL of the artifact, which is on the class path with `mvn -Pmkl test` alone.
class MklTest {
    /// All children unpack into it, the first of them for all.
    @TempDir
    private static Path cache;

    @BeforeAll
    static void requireMkl() throws IOException {
        assumeTrue(Artifact.MKL.isPresent(), "org.bytedeco:mkl is not on the class path: mvn -Pmkl test");
        assertTrue(Blas.version().startsWith("Intel(R) oneAPI Math Kernel Library Version"), Blas.version());
    }

    private static String probe(Map<String, String> environment, String use, String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(options));
        arguments.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", Child.classPath()));
        arguments.addAll(List.of(Probe.class.getName(), use));
        Map<String, String> variables = new HashMap<>(environment);
        variables.put("XDG_CACHE_HOME", cache.toString());
        Child child = Child.run(variables, arguments);
        assertEquals(0, child.exit(), child.out() + child.err());
        assertFalse(child.err().contains("oneMKL was called before"), child.err());
        return child.out().strip();
    }

    @Test
    void itNamesItselfAndTheBranchOfItsCode() {
        assertTrue(Blas.library().endsWith("libmkl_rt.so.2"), Blas.library());
        assertTrue(Set.of("SSE4_2", "AVX2", "AVX512", "AVX512_E1", "AVX10").contains(Blas.core()), Blas.core());
    }

    @Test
    void itIsPreferredOnAnIntelProcessorAndTakenWhereItIsNamed() throws Exception {
        String preferred = Processor.isIntel() ? "libmkl_rt.so.2" : "libopenblas.so.0";
        assertTrue(probe(Map.of(), "product").endsWith(preferred));
        assertTrue(probe(Map.of(), "product", "-Dtoydiff.blas=openblas").endsWith("libopenblas.so.0"));
        String mkl = probe(Map.of(), "product", "-Dtoydiff.blas=mkl");
        assertTrue(mkl.startsWith("512.0 by " + cache), mkl);
        assertTrue(mkl.endsWith("libmkl_rt.so.2"), mkl);
    }

    @Test
    void itsLapackInvertsMatrices() throws Exception {
        String mkl = probe(Map.of(), "inverse", "-Dtoydiff.blas=mkl");
        assertTrue(mkl.startsWith("0.5 by " + cache), mkl);
    }

    @Test
    void theSmallestSetOfItsFilesIsUnpacked() throws Exception {
        String mkl = probe(Map.of(), "product", "-Dtoydiff.blas=mkl");
        try (var files = Files.list(Path.of(mkl.substring("512.0 by ".length())).getParent())) {
            assertEquals(
                    Artifact.MKL.parts().stream()
                            .map(Artifact.Part::name)
                            .sorted()
                            .toList(),
                    files.map(file -> file.getFileName().toString()).sorted().toList());
        }
    }

    @Test
    void productsHaveTheSameBitsInEveryRunOnAnyNumberOfThreads() throws Exception {
        Set<String> checksums = new TreeSet<>();
        for (int threads : new int[] {1, 1, 2, 3, 8}) {
            checksums.add(probe(Map.of(), "bits", "-Dtoydiff.blas=mkl", "-Dtoydiff.threads=" + threads));
        }
        assertEquals(1, checksums.size(), checksums.toString());
    }

    @Test
    void settingsOfTheEnvironmentThatWouldEndTheProcessAreOverridden() throws Exception {
        Map<String, String> environment =
                Map.of("MKL_INTERFACE_LAYER", "ILP64", "MKL_THREADING_LAYER", "SEQUENTIAL", "MKL_NUM_THREADS", "4");
        assertTrue(probe(environment, "product", "-Dtoydiff.blas=mkl").endsWith("libmkl_rt.so.2"));
    }

    @Test
    void itIsConfiguredWhereALinkInAnotherFolderNamesIt() throws Exception {
        Path link = Files.createSymbolicLink(cache.resolve("libmkl_rt.so"), Path.of(Blas.library()));
        Map<String, String> environment = Map.of("MKL_THREADING_LAYER", "SEQUENTIAL");
        assertEquals(
                "512.0 by " + Path.of(Blas.library()).toRealPath(),
                probe(environment, "product", "-Dtoydiff.blas=" + link));
    }

    @Test
    @SuppressWarnings("restricted")
    void theReproducibleModeIsOn() throws Throwable {
        int branch = 1;
        int auto = 2;
        var get = Linker.nativeLinker()
                .downcallHandle(
                        SymbolLookup.loaderLookup().findOrThrow("MKL_CBWR_Get"),
                        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        assertEquals(auto, (int) get.invokeExact(branch));
    }

    @Test
    void everyThreadMultipliesAlone() throws Exception {
        assertEquals(1, Mkl.MKL_Get_Max_Threads());
        try (var executor = Executors.newSingleThreadExecutor()) {
            assertEquals(1, executor.submit(() -> Mkl.MKL_Get_Max_Threads()).get());
        }
    }

    private static float widen(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /// Returns numbers of bfloat16 after a gap of one, of magnitudes near 1, whose products float32 has exactly.
    private static MemorySegment randomBfloat16(Arena arena, Random random, int count) {
        MemorySegment segment = arena.allocate(ValueLayout.JAVA_SHORT, count + 1);
        for (int i = 0; i <= count; i++) {
            int bits = Float.floatToRawIntBits((float) random.nextGaussian());
            segment.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (bits >> 16));
        }
        return segment;
    }

    @ParameterizedTest
    @CsvSource({
        "false, false, 5, 7, 3, 1, 0",
        "true, false, 33, 65, 129, 1, 0",
        "false, true, 64, 64, 64, 0.5, 1",
        "true, true, 17, 1, 40, -2, 0.25",
        "false, false, 1, 19, 1000, 1, 1"
    })
    void aProductOfBfloat16IsTheOneInDoubleRounded(
            boolean transposeA, boolean transposeB, int m, int n, int k, float alpha, float beta) {
        assertTrue(MklBlas.hasBfloat16Products());
        int gap = 3;
        int lda = (transposeA ? m : k) + gap;
        int ldb = (transposeB ? k : n) + gap;
        int ldc = n + gap;
        var random = new Random(1);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment a = randomBfloat16(arena, random, (transposeA ? k : m) * lda);
            MemorySegment b = randomBfloat16(arena, random, (transposeB ? n : k) * ldb);
            MemorySegment c = arena.allocate(ValueLayout.JAVA_FLOAT, m * ldc + 1);
            for (int i = 0; i <= m * ldc; i++) {
                c.setAtIndex(ValueLayout.JAVA_FLOAT, i, i % 11);
            }
            MklBlas.gemmBfloat16(transposeA, transposeB, m, n, k, alpha, a, 2, lda, b, 2, ldb, beta, c, 4, ldc);
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < ldc; j++) {
                    int at = 1 + i * ldc + j;
                    float actual = c.getAtIndex(ValueLayout.JAVA_FLOAT, at);
                    if (j >= n) {
                        assertEquals(at % 11, actual, "between the rows of c");
                        continue;
                    }
                    double sum = 0;
                    double magnitude = 0;
                    for (int l = 0; l < k; l++) {
                        int atA = 1 + (transposeA ? l * lda + i : i * lda + l);
                        int atB = 1 + (transposeB ? j * ldb + l : l * ldb + j);
                        double term = (double) widen(a.getAtIndex(ValueLayout.JAVA_SHORT, atA))
                                * widen(b.getAtIndex(ValueLayout.JAVA_SHORT, atB));
                        sum += term;
                        magnitude += Math.abs(term);
                    }
                    double expected = alpha * sum + beta * (at % 11);
                    double tolerance = (k + 2) * 0x1p-24 * (Math.abs(alpha) * magnitude + beta * (at % 11));
                    assertEquals(expected, actual, tolerance, i + ", " + j);
                }
            }
        }
    }
}
