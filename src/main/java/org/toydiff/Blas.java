package org.toydiff;

import org.toydiff.internal.JvmOptions;
import org.toydiff.internal.blas.BlasLibrary;
import org.toydiff.internal.blas.CBlas;

/// The BLAS library that products run on.
///
/// It is loaded when the first product, or one of these methods, asks for it. `-Dtoydiff.blas` chooses it:
///
/// | value | library |
/// |---|---|
/// | none | oneMKL on an Intel processor, if the application has it; else OpenBLAS; else the system's |
/// | `openblas`, `mkl` | that of the artifact `org.bytedeco:openblas` or `org.bytedeco:mkl` (classifier `…-redist`) |
/// | `system` | the OpenBLAS that the system has installed |
/// | a path | any library with the CBLAS interface and 32-bit integers |
///
/// When there is none, each method that names it throws an UnsatisfiedLinkError that lists the places tried, why each
/// failed, and the fix.
public final class Blas {
    private Blas() {}

    /// Where it was loaded from.
    ///
    /// @return the path of the library
    public static String library() {
        JvmOptions.require();
        return BlasLibrary.path();
    }

    /// Returns its own description.
    ///
    /// @return `OpenBLAS 0.3.31 …` or `Intel(R) oneAPI Math Kernel Library Version 2025.3 …`, or `unknown` for a
    ///     library that has none
    public static String version() {
        JvmOptions.require();
        String version = CBlas.version();
        return version == null ? "unknown" : version.strip();
    }

    /// Returns the processor or the instructions whose kernels it uses.
    ///
    /// @return OpenBLAS's name of a processor, as `Zen` or `Haswell`; oneMKL's name of a branch of its code, as
    ///     `AVX2` or `AVX512_E1`; `unknown` for a library that has none
    public static String core() {
        JvmOptions.require();
        String core = CBlas.core();
        return core == null ? "unknown" : core.strip();
    }

    /// [Threads#count()].
    ///
    /// @return threads, 1 or more
    public static int threads() {
        return Threads.count();
    }

    /// [Threads#set(int)].
    ///
    /// @param threads 1 to 1024
    /// @throws IllegalArgumentException if it is none of these
    public static void setThreads(int threads) {
        Threads.set(threads);
    }
}
