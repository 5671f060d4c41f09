package org.toydiff.bench.blas;

import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// Finds kernels that are older than the processor. OpenBLAS chooses kernels by the processor's model, and for a model
/// that it does not know, as in some virtual machines, it may fall back to kernels without AVX.
final class KernelChoice {
    /// The x86-64 cores of OpenBLAS without AVX2, by its `TargetList.txt`.
    private static final Set<String> OLD = Set.of(
            "generic",
            "core2",
            "penryn",
            "dunnington",
            "nehalem",
            "prescott",
            "atom",
            "nano",
            "northwood",
            "banias",
            "athlon",
            "opteron",
            "opteron_sse3",
            "barcelona",
            "bobcat",
            "sandybridge",
            "bulldozer",
            "piledriver",
            "steamroller");

    /// Those with AVX2 and without AVX-512.
    private static final Set<String> AVX2 = Set.of("haswell", "zen", "excavator");

    private KernelChoice() {}

    /// Returns a warning if the library's kernels do not use the vectors of the processor.
    ///
    /// @param flags the processor's instruction sets, as Linux names them; empty if unknown
    static Optional<String> warning(Library library, Set<String> flags) {
        String core = library.core().toLowerCase(Locale.ROOT);
        boolean avx512 = flags.containsAll(Set.of("avx512f", "avx512bw", "avx512dq", "avx512vl"));
        boolean avx2 = flags.containsAll(Set.of("avx2", "fma"));
        if (OLD.contains(core) && (avx512 || avx2)) {
            String vectors = avx512 ? "AVX-512" : "AVX2";
            return Optional.of(text(library, vectors, "several times slower", avx512 ? "SkylakeX" : "Haswell"));
        }
        return AVX2.contains(core) && avx512
                ? Optional.of(text(library, "AVX-512", "slower", "SkylakeX"))
                : Optional.empty();
    }

    private static String text(Library library, String vectors, String slower, String core) {
        return library.name() + " uses kernels for " + library.core() + ", but this processor has " + vectors
                + ": products may be " + slower + " than they could be; set OPENBLAS_CORETYPE=" + core
                + " in the environment, which a library built with DYNAMIC_ARCH obeys.";
    }
}
