package org.toydiff.internal.blas;

import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import org.toydiff.internal.mkl.Mkl;
import org.toydiff.internal.openblas.OpenBlas;

/// The only caller of the bindings of oneMKL: its settings, and products that CBLAS does not have.
///
/// Like [CBlas], it checks nothing and uses plain downcalls of handles. The functions of `mkl_service.h` that the
/// bindings lack, or that are called before the class loader has the library, return an int: [#handle].
public final class MklBlas {
    // Of mkl_service.h and mkl_types.h.
    private static final int INTERFACE_LP64 = 0;
    private static final int REPRODUCIBLE = 2;
    private static final int SUCCESS = 0;

    /// The branches of code by their numbers in `mkl_types.h`, as MKL_CBWR in the environment names them.
    private static final List<String> BRANCHES = List.of(
            "",
            "OFF",
            "AUTO",
            "COMPATIBLE",
            "SSE2",
            "SSE3",
            "SSSE3",
            "SSE4_1",
            "SSE4_2",
            "AVX",
            "AVX2",
            "AVX512_MIC",
            "AVX512",
            "AVX512_MIC_E1",
            "AVX512_E1",
            "AVX10");

    private static final int VERSION_BYTES = 256;

    private MklBlas() {}

    /// Whether the library in use has the products, found once.
    private static final class Bfloat16 {
        static final boolean PRODUCTS = BlasLibrary.has("cblas_gemm_bf16bf16f32");
    }

    /// Returns whether the library in use is oneMKL.
    static boolean isLoaded() {
        return BlasLibrary.has("MKL_Get_Version_String");
    }

    /// Sets what cannot be changed after its first call: 32-bit integers and a threading layer that is there, whatever
    /// the environment asks for; and the mode in which the same product has the same bits in every run, whatever the
    /// alignment of its operands ("Conditional Numerical Reproducibility" in oneMKL's developer guide). Another mode
    /// that MKL_CBWR in the environment chooses is kept.
    ///
    /// @param symbols its functions
    /// @param library its file
    static void configure(SymbolLookup symbols, Path library) {
        if (MklRuntime.isRuntime(library)) {
            call(symbols, "MKL_Set_Interface_Layer", INTERFACE_LP64);
            call(symbols, "MKL_Set_Threading_Layer", MklRuntime.threadingLayer(library));
        }
        if (System.getenv("MKL_CBWR") == null && call(symbols, "MKL_CBWR_Set", REPRODUCIBLE) != SUCCESS) {
            System.getLogger("org.toydiff")
                    .log(
                            Level.WARNING,
                            "oneMKL was called before toydiff found it, so products may differ by rounding"
                                    + " from run to run; to prevent it, set MKL_CBWR=AUTO in the environment");
        }
    }

    static void setThreads(int threads) {
        Mkl.MKL_Set_Num_Threads(threads);
    }

    /// Returns its description.
    static String version() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(VERSION_BYTES);
            Mkl.MKL_Get_Version_String(text, VERSION_BYTES - 1);
            return text.getString(0).strip();
        }
    }

    /// Returns the branch of its code for this processor, `AVX2` or `AVX512_E1` for instance.
    static String core() {
        try {
            int branch = (int) handle(SymbolLookup.loaderLookup(), "MKL_CBWR_Get_Auto_Branch")
                    .invokeExact();
            return branch < BRANCHES.size() ? BRANCHES.get(branch) : Integer.toString(branch);
        } catch (Throwable e) {
            throw CBlas.unchecked(e);
        }
    }

    private static int call(SymbolLookup symbols, String function, int argument) {
        try {
            return (int) handle(symbols, function, ValueLayout.JAVA_INT).invokeExact(argument);
        } catch (Throwable e) {
            throw CBlas.unchecked(e);
        }
    }

    private static MethodHandle handle(SymbolLookup symbols, String function, ValueLayout... arguments) {
        return Linker.nativeLinker()
                .downcallHandle(symbols.findOrThrow(function), FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments));
    }

    /// Returns whether the library in use multiplies matrices of bfloat16, which [#gemmBfloat16] does. A processor
    /// without instructions for them (AVX512_BF16, AMX) multiplies in float32.
    ///
    /// @throws UnsatisfiedLinkError if there is no library
    public static boolean hasBfloat16Products() {
        return Bfloat16.PRODUCTS;
    }

    /// `c = alpha·op(a)·op(b) + beta·c`, where op(a) is m×k and op(b) k×n, row-major, both of bfloat16, and c of
    /// float32. Operands begin at byte offsets in their segments; leading dimensions are in elements.
    ///
    /// Products of two elements are exact; sums are rounded to float32, and the instructions for bfloat16 flush
    /// denormals to zero.
    public static void gemmBfloat16(
            boolean transposeA,
            boolean transposeB,
            int m,
            int n,
            int k,
            float alpha,
            MemorySegment a,
            long aOffset,
            int lda,
            MemorySegment b,
            long bOffset,
            int ldb,
            float beta,
            MemorySegment c,
            long cOffset,
            int ldc) {
        int ta = transposeA ? OpenBlas.CblasTrans() : OpenBlas.CblasNoTrans();
        int tb = transposeB ? OpenBlas.CblasTrans() : OpenBlas.CblasNoTrans();
        MemorySegment x = a.asSlice(aOffset);
        MemorySegment y = b.asSlice(bOffset);
        MemorySegment z = c.asSlice(cOffset);
        try {
            Mkl.cblas_gemm_bf16bf16f32$handle()
                    .invokeExact(OpenBlas.CblasRowMajor(), ta, tb, m, n, k, alpha, x, lda, y, ldb, beta, z, ldc);
        } catch (Throwable e) {
            throw CBlas.unchecked(e);
        }
    }
}
