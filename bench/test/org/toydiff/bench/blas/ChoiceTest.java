package org.toydiff.bench.blas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine;

/// The measurements that the options choose.
class ChoiceTest {
    @CommandLine.Command
    private static final class Holder {
        @CommandLine.Mixin
        Choice choice;
    }

    private static MeasurementPlan plan(String... arguments) throws IOException {
        var holder = new Holder();
        new CommandLine(holder).parseArgs(arguments);
        return holder.choice.plan();
    }

    private static List<String> problems(String... arguments) throws IOException {
        return plan(arguments).problems().stream().map(Problem::toString).toList();
    }

    @Test
    void sizesAreListsAndRanges() {
        assertEquals(List.of(64), Sizes.parse("--sizes", "64"));
        assertEquals(List.of(64, 100, 150, 200), Sizes.parse("--sizes", "64,100:200:50"));
        assertEquals(List.of(100, 160), Sizes.parse("--sizes", "100:200:60"), "not beyond the end");
        assertEquals(List.of(8, 16, 32), Sizes.parse("--sizes", "8:32"));
        assertEquals(List.of(3, 9, 27), Sizes.parse("--sizes", "3:80:*3"));
        assertEquals(List.of(1 << 30), Sizes.parse("--sizes", "1073741824:2147483647"), "no overflow");
        assertEquals(List.of(2_000_000_000), Sizes.parse("--sizes", "2000000000:2147483647:1000000000"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0 | --sizes: 0 is not positive",
                "-3 | --sizes: -3 is not positive",
                "64, | --sizes: \"\" is not a number",
                "x | --sizes: \"x\" is not a number",
                "8:4 | --sizes: 8:4 ends before it begins",
                "1:2:3:4 | --sizes: 1:2:3:4 is not a range; write FROM:TO or FROM:TO:STEP",
                "1:9:*1 | --sizes: a range with the factor 1 never ends",
                "1:9:0 | --sizes: 0 is not positive",
                "1:20000:1 | --sizes: more than 10000 sizes",
                "3000000000 | --sizes: 3000000000 is more than the 2147483647 that BLAS can count",
            })
    void badSizesAreNamed(String sizes, String message) {
        assertEquals(
                message,
                assertThrows(IllegalArgumentException.class, () -> Sizes.parse("--sizes", sizes))
                        .getMessage());
    }

    @Test
    void theDefaultIsTheBundledLibraryOnOneAndAllCores() throws IOException {
        MeasurementPlan plan = plan();
        assertEquals(List.of("openblas"), plan.libraries());
        assertEquals(1, plan.threads().getFirst());
        assertEquals(Runtime.getRuntime().availableProcessors(), plan.threads().getLast());
        for (Routine routine : Routine.values()) {
            assertEquals(
                    routine != Routine.GEMM_BATCH_STRIDED && routine.hasDouble(),
                    plan.problems().stream().anyMatch(problem -> problem.routine() == routine),
                    routine.word());
        }
    }

    @Test
    void routinesVariantsDtypesAndShapesAreMultiplied() throws IOException {
        assertEquals(
                List.of(
                        "gemm NN float 32x32x32",
                        "gemm NN float 32x2x2",
                        "gemm NN float 5x6x7",
                        "gemm TT float 32x32x32",
                        "gemm TT float 32x2x2",
                        "gemm TT float 5x6x7"),
                problems("--variants", "nn,TT", "--sizes", "32", "--shapes", "square,tall,5x6x7"));
        assertEquals(
                List.of("dot - float 1x9x1", "dot - double 1x9x1", "syrk N float 3x3x4", "syrk N double 3x3x4"),
                List.of(
                                problems("--routines", "dot", "--dtypes", "float,double", "--sizes", "9"),
                                problems("--routines", "syrk", "--dtypes", "float,double", "--shapes", "3x4"))
                        .stream()
                        .flatMap(List::stream)
                        .toList());
        assertEquals(
                List.of("gemm_batch NNx7 float 2x2x2"),
                problems("--routines", "gemm_batch", "--batch", "7", "--sizes", "2"));
        assertEquals(
                4,
                problems("--routines", "trsm", "--variants", "all", "--sizes", "8")
                        .size());
        assertEquals(List.of("gemm NN float 1x16x1"), problems("--sizes", "16", "--shapes", "wide"));
        assertEquals(
                List.of("gemm_bf16 NT bfloat16 5x6x7"),
                problems(
                        "--routines", "gemm_bf16", "--variants", "nt", "--dtypes", "float,double", "--shapes", "5x6x7"),
                "its operands have one dtype");
        assertEquals(
                List.of("gesv - float 64x64x1", "gesv - float 256x256x1", "gesv - float 1024x1024x1"),
                problems("--routines", "gesv"),
                "a matrix, though it has one size");
    }

    @Test
    void thePresetOfTheNetHoldsTheProductsOfAStep() throws IOException {
        List<String> problems = problems("--preset", "mlp");
        assertEquals(5 * 8, problems.size(), "five batches; three layers, the first without a gradient of its inputs");
        assertTrue(problems.contains("gemm NT float 32x512x784"), problems.toString());
        assertTrue(problems.contains("gemm NN float 8192x512x256"), problems.toString());
        assertTrue(problems.contains("gemm TN float 10x256x2048"), problems.toString());
    }

    @ParameterizedTest
    @EnumSource(Preset.class)
    void everyPresetFitsIntoTheMachine(Preset preset) throws IOException {
        List<Problem> problems = plan(
                        "--threads", "1", "--preset", preset.name().toLowerCase(java.util.Locale.ROOT))
                .problems();
        assertTrue(problems.size() >= 9);
        for (Problem problem : problems) {
            assertEquals(problem, Problem.parse(problem.request().split(" ")), "a request holds the whole problem");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--routines foo | --routines: foo is not one of axpy, dot, nrm2, scal, copy, gemv, ger, gemm, gemm_batch,"
                        + " gemm_batch_strided, gemm_bf16, gemm_pack, gemm_compute, syrk, trsm, gesv, potrf, geqrf, syevd,"
                        + " gesdd",
                "--preset foo | --preset: foo is not one of quick, square, mlp, transformer",
                "--variants XX | --variants: XX is not a variant of gemm",
                "--variants XX --routines gemm,syrk | --variants: XX is not a variant of gemm or syrk",
                "--shapes 3x4 | --shapes: 3x4 has 2 sizes, and gemm needs 3",
                "--shapes round | --shapes: round is not one of square, tall, wide, MxNxK",
                "--shapes 3x0x3 | --shapes: 0 is not positive",
                "--dtypes half | --dtypes: half is neither float nor double",
                "--threads 0 | --threads: 0 is not positive",
                "--threads 2000 | --threads: 2000 is more than 1024",
                "--batch -1 | --batch: -1 is not positive",
                "--alignment 24 | --alignment: 24 is not a power of two from the size of an element to 4096",
                "--alignment 4 --dtypes double | --alignment: 4 is not a power of two from the size of an element to"
                        + " 4096",
                "--sizes 64 --ld 63 | --ld: 63 is less than the 64 columns of gemm NN float 64x64x64",
                "--library /nowhere/libblas.so | --library /nowhere/libblas.so: there is no such file",
                "--preset mlp --sizes 4 | --preset cannot be combined with --routines, --variants, --sizes or --shapes",
            })
    void wrongOptionsAreNamed(String arguments, String message) {
        assertEquals(
                message,
                assertThrows(IllegalArgumentException.class, () -> plan(arguments.split(" ")))
                        .getMessage());
    }

    @Test
    void aProblemThatDoesNotFitIntoMemoryIsRefused() {
        String message = assertThrows(
                        IllegalArgumentException.class, () -> plan("--threads", "1", "--sizes", "1000000"))
                .getMessage();
        assertTrue(
                message.startsWith("gemm NN float 1000000x1000000x1000000 takes 11175.9 GiB in each of 3 processes"),
                message);
    }

    @Test
    void leadingDimensionsAreAbsoluteOrMore() throws IOException {
        assertEquals(
                100,
                plan("--sizes", "64", "--ld", "100")
                        .problems()
                        .getFirst()
                        .layout()
                        .leading(64));
        assertEquals(
                72,
                plan("--sizes", "64", "--ld", "+8")
                        .problems()
                        .getFirst()
                        .layout()
                        .leading(64));
    }

    @Test
    void workAndTrafficAreCounted() {
        Problem product = Problem.of(Routine.GEMM, "NN", false, 1, Problem.Layout.DEFAULT, 2, 3, 4);
        assertEquals(48, product.flops());
        assertEquals(4 * (8 + 12 + 6), product.trafficBytes());
        Problem solution = Problem.of(Routine.TRSM, "RN", true, 1, Problem.Layout.DEFAULT, 5, 3);
        assertEquals(45, solution.flops());
        assertEquals(8 * (6 + 30), solution.trafficBytes());
        assertArrayEquals(new int[] {3, 3, 4}, Routine.SYRK.sizes(3, 4));
        Problem bfloat16 = Problem.of(Routine.GEMM_BF16, "NN", false, 1, Problem.Layout.DEFAULT, 2, 3, 4);
        assertEquals(2 * (8 + 12) + 4 * 6, bfloat16.trafficBytes());
        assertEquals(2 * (8 + 12) + 4 * 6, bfloat16.memoryBytes());
    }

    @Test
    void theWorkOfLapackIsThatOfItsWorkingNote41() {
        assertEquals(2 * 216 / 3.0 + 72, lapack(Routine.GESV, 6).flops());
        assertEquals(216 / 3.0, lapack(Routine.POTRF, 6).flops());
        assertEquals(2 * 9 * 3 * 3 - 2 * 27 / 3.0, lapack(Routine.GEQRF, 9, 3).flops(), 1e-9);
        assertEquals(2 * 9 * 3 * 3 - 2 * 27 / 3.0, lapack(Routine.GEQRF, 3, 9).flops(), 1e-9, "m < n");
        assertEquals(10 * 216 / 3.0, lapack(Routine.SYEVD, 6).flops(), 1e-9);
        assertEquals(8 * 9 * 3 * 3 - 4 * 27 / 3.0, lapack(Routine.GESDD, 9, 3).flops(), 1e-9);
        assertEquals(8 * (2 * 36 + 6), lapack(Routine.SYEVD, 6).trafficBytes());
        Problem system = lapack(Routine.GESV, 6);
        assertEquals(8 * (36 + 6), system.memoryBytes());
        assertEquals(
                2 * system.memoryBytes(), system.allocatedBytes(), "each call takes a fresh copy of both operands");
    }

    private static Problem lapack(Routine routine, int... sizes) {
        return Problem.of(routine, "-", true, 1, Problem.Layout.DEFAULT, sizes);
    }

    @Test
    void librariesHaveTheShortestNamesThatDiffer() {
        assertEquals(
                List.of("openblas", "a/libblas.so", "b/libblas.so", "libx.so"),
                Library.names(List.of("openblas", "/lib/a/libblas.so", "/lib/b/libblas.so", "/lib/libx.so")));
    }
}
