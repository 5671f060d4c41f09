package org.toydiff;

import org.toydiff.internal.JvmOptions;
import org.toydiff.internal.blas.BlasLibrary;
import org.toydiff.internal.blas.CBlas;

/// The BLAS library that products run on.
///
/// It is loaded when the first product, or one of these methods, asks for it: the library that
/// `-Dtoydiff.blas.library=PATH` names (any with the CBLAS interface), or the OpenBLAS in the artifact
/// `org.bytedeco:openblas`, or the system's; `bundled` or `system` for the path takes that alone. When there is
/// none, each method that names it throws an UnsatisfiedLinkError that lists the places tried, why each failed, and
/// the fix.
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
    /// @return `OpenBLAS 0.3.31 …`, or `unknown` for a library that has none
    public static String version() {
        JvmOptions.require();
        String config = CBlas.config();
        return config == null ? "unknown" : config.strip();
    }

    /// The processor whose kernels it uses.
    ///
    /// @return `Zen` or `Haswell` for instance, or `unknown` for a library that has none
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
