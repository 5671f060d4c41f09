package org.toydiff.bench.blas;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/// The options that choose the measurements.
final class Choice {
    /// The share of the available memory that the operands of all children may take together.
    private static final double MEMORY_SHARE = 0.9;

    private static final int MAX_THREADS = 1024;
    private static final int PAGE = 4096;
    private static final List<Integer> VECTOR_SIZES = List.of(1 << 10, 1 << 16, 1 << 22);
    private static final List<Integer> MATRIX_SIZES = List.of(64, 256, 1024);

    @Option(
            names = "--library",
            paramLabel = "LIBRARY",
            description = "openblas, mkl, system or the path of a CBLAS library; may be repeated (default: openblas).")
    private List<String> libraries = List.of(Library.OPENBLAS);

    @Option(
            names = "--threads",
            paramLabel = "LIST",
            defaultValue = "1,all",
            description = "Numbers of threads; all stands for all cores (default: 1,all).")
    private String threads;

    @Option(
            names = "--preset",
            paramLabel = "NAME",
            description = "A set of problems: quick (default), square, mlp (the products of a training step of"
                    + " 784-512-256-10 at batch 32 to 8192), transformer (those of a block of GPT-2 small).")
    private String preset;

    @Option(names = "--routines", paramLabel = "LIST", description = "Routines instead of a preset; see below.")
    private String routines;

    @Option(
            names = "--variants",
            paramLabel = "LIST",
            description = "Variants of the routines, or all (default: the first of each).")
    private String variants;

    @Option(names = "--dtypes", paramLabel = "LIST", description = "float, double (default: float; both for square).")
    private String dtypes;

    @Option(
            names = "--sizes",
            paramLabel = "LIST",
            description = "Sizes (default: 64,256,1024 for matrices, 1024,65536,4194304 for vectors).")
    private String sizes;

    @Option(names = "--shapes", paramLabel = "LIST", description = "Shapes (default: square).")
    private String shapes;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "64",
            description = "The number of products of gemm_batch and gemm_batch_strided (default: 64).")
    private String batch;

    @Option(
            names = "--alignment",
            paramLabel = "BYTES",
            defaultValue = "64",
            description = "The offset of operands from a page's start: a power of two up to 4096 (default: 64).")
    private String alignment;

    @Option(
            names = "--ld",
            paramLabel = "N",
            description = "The leading dimension of every matrix, or +N for its columns plus N (default: +0).")
    private String ld;

    /// Returns the measurements that the options choose.
    ///
    /// @throws IllegalArgumentException if an option is invalid, or if the operands do not fit into memory
    MeasurementPlan plan() throws IOException {
        List<String> chosen = List.copyOf(new LinkedHashSet<>(libraries));
        chosen.forEach(Choice::requireReadable);
        var plan = new MeasurementPlan(chosen, threadCounts(), problems());
        requireMemory(plan);
        return plan;
    }

    private static void requireReadable(String library) {
        if (Library.isFile(library)) {
            Path path = Path.of(library);
            if (!Files.exists(path)) {
                throw new IllegalArgumentException("--library " + library + ": there is no such file");
            }
            if (!Files.isRegularFile(path) || !Files.isReadable(path)) {
                throw new IllegalArgumentException("--library " + library + ": not a readable file");
            }
        }
    }

    private List<Integer> threadCounts() {
        Set<Integer> counts = new TreeSet<>();
        for (String item : threads.split(",", -1)) {
            int count = item.strip().equals("all") ? Host.cores() : Sizes.positive("--threads", item);
            if (count > MAX_THREADS) {
                throw new IllegalArgumentException("--threads: " + count + " is more than " + MAX_THREADS);
            }
            counts.add(count);
        }
        return List.copyOf(counts);
    }

    private List<Problem> problems() {
        boolean own = routines != null || variants != null || sizes != null || shapes != null;
        if (preset != null && own) {
            throw new IllegalArgumentException(
                    "--preset cannot be combined with --routines, --variants, --sizes or --shapes");
        }
        List<Problem> problems = own ? ownProblems() : preset().problems(wide(preset()), batch(), layout());
        problems.forEach(Choice::requireCountable);
        return problems;
    }

    private Preset preset() {
        return preset == null ? Preset.QUICK : constant("--preset", Preset.values(), preset);
    }

    private List<Boolean> wide(Preset from) {
        if (dtypes == null) {
            return from == Preset.SQUARE ? List.of(false, true) : List.of(false);
        }
        Set<Boolean> wide = new LinkedHashSet<>();
        for (String dtype : items(dtypes)) {
            switch (dtype) {
                case "float" -> wide.add(false);
                case "double" -> wide.add(true);
                default -> throw new IllegalArgumentException("--dtypes: " + dtype + " is neither float nor double");
            }
        }
        return List.copyOf(wide);
    }

    private List<Problem> ownProblems() {
        List<Routine> chosen = routines == null
                ? List.of(Routine.GEMM)
                : items(routines).stream()
                        .map(word -> constant("--routines", Routine.values(), word))
                        .toList();
        requireKnownVariants(chosen);
        List<Problem> problems = new ArrayList<>();
        for (Routine routine : chosen) {
            for (boolean wide : routine.hasDouble() ? wide(Preset.QUICK) : List.of(false)) {
                for (String variant : variants(routine)) {
                    for (int[] one : sizes(routine)) {
                        int products = routine.isBatch() ? batch() : 1;
                        problems.add(Problem.of(routine, variant, wide, products, layout(), one));
                    }
                }
            }
        }
        return problems;
    }

    private List<String> variants(Routine routine) {
        if (variants == null) {
            return List.of(routine.variants.getFirst());
        }
        if (variants.equals("all")) {
            return routine.variants;
        }
        List<String> some = items(variants).stream()
                .map(variant -> variant.toUpperCase(Locale.ROOT))
                .filter(routine.variants::contains)
                .toList();
        return some.isEmpty() ? List.of(routine.variants.getFirst()) : some;
    }

    private void requireKnownVariants(List<Routine> chosen) {
        if (variants != null && !variants.equals("all")) {
            for (String variant : items(variants)) {
                if (chosen.stream().noneMatch(r -> r.variants.contains(variant.toUpperCase(Locale.ROOT)))) {
                    throw new IllegalArgumentException("--variants: " + variant + " is not a variant of "
                            + chosen.stream().map(Routine::word).collect(Collectors.joining(" or ")));
                }
            }
        }
    }

    private List<int[]> sizes(Routine routine) {
        List<Integer> edges =
                sizes != null ? Sizes.parse("--sizes", sizes) : routine.isVector() ? VECTOR_SIZES : MATRIX_SIZES;
        List<int[]> all = new ArrayList<>();
        for (String shape : shapes == null ? List.of("square") : items(shapes)) {
            if (Sizes.isExplicit(shape)) {
                all.add(Sizes.explicit(routine, shape));
            } else {
                edges.forEach(edge -> all.add(Sizes.shaped(routine, shape, edge)));
            }
        }
        return all;
    }

    private int batch() {
        return Sizes.positive("--batch", batch);
    }

    private Problem.Layout layout() {
        int bytes = Sizes.positive("--alignment", alignment);
        if (Integer.bitCount(bytes) != 1
                || bytes > PAGE
                || bytes < Double.BYTES && !wide(Preset.QUICK).equals(List.of(false))
                || bytes < Float.BYTES) {
            throw new IllegalArgumentException(
                    "--alignment: " + bytes + " is not a power of two from the size of an element to " + PAGE);
        }
        if (ld == null) {
            return new Problem.Layout(0, bytes);
        }
        boolean more = ld.startsWith("+");
        if (more && ld.equals("+0")) {
            return new Problem.Layout(0, bytes);
        }
        int number = Sizes.positive("--ld", more ? ld.substring(1) : ld);
        return new Problem.Layout(more ? -number : number, bytes);
    }

    /// Refuses leading dimensions, and strides within a batch, beyond the 32-bit numbers that BLAS takes.
    private static void requireCountable(Problem problem) {
        for (Routine.Shape shape : problem.routine().operands(problem)) {
            long leading = problem.layout().leading(shape.columns());
            if (shape.rows() > 1 && leading < shape.columns()) {
                throw new IllegalArgumentException(
                        "--ld: " + leading + " is less than the " + shape.columns() + " columns of " + problem);
            }
            long stride = problem.routine().isBatch() ? leading * shape.rows() : leading;
            if (stride > Integer.MAX_VALUE) {
                throw new IllegalArgumentException(problem + " has more elements than BLAS can count");
            }
        }
    }

    /// Refuses problems that do not fit into memory: every child keeps its operands while the others take turns.
    private static void requireMemory(MeasurementPlan plan) throws IOException {
        double available = MEMORY_SHARE * Host.availableBytes();
        double lanes = (double) plan.libraries().size() * plan.threads().size();
        for (Problem problem : plan.problems()) {
            double children = lanes * (problem.routine().isProduct() ? 3 : 2);
            if (problem.allocatedBytes() * children > available) {
                throw new IllegalArgumentException(String.format(
                        Locale.ROOT,
                        "%s takes %.1f GiB in each of %.0f processes, and the machine has %.1f GiB for them",
                        problem,
                        problem.allocatedBytes() / 0x1p30,
                        children,
                        available / 0x1p30));
            }
        }
    }

    private static List<String> items(String list) {
        return Arrays.stream(list.split(",", -1)).map(String::strip).toList();
    }

    private static <E extends Enum<E>> E constant(String option, E[] all, String word) {
        return Arrays.stream(all)
                .filter(one -> one.name().toLowerCase(Locale.ROOT).equals(word))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(option + ": " + word + " is not one of "
                        + Arrays.stream(all)
                                .map(one -> one.name().toLowerCase(Locale.ROOT))
                                .collect(Collectors.joining(", "))));
    }
}
