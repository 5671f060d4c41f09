package org.toydiff.internal.blas;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;

/// A library that someone else installed, opened apart from the class loader's: a call into the wrong one ends the
/// process, and the class loader would find functions in it for good.
///
/// Loading it for the class loader before this is closed does not open it a second time.
final class Candidate implements AutoCloseable {
    private static final FunctionDescriptor CONFIG = FunctionDescriptor.of(ValueLayout.ADDRESS);

    /// That of cblas_sdot, with the integers as wide as in a library with 64-bit integers.
    private static final FunctionDescriptor WIDE_DOT = FunctionDescriptor.of(
            ValueLayout.JAVA_FLOAT,
            ValueLayout.JAVA_LONG,
            ValueLayout.ADDRESS,
            ValueLayout.JAVA_LONG,
            ValueLayout.ADDRESS,
            ValueLayout.JAVA_LONG);

    private static final String INTEGERS_OF_64_BITS =
            "it takes 64-bit integers (ILP64), and toydiff passes 32-bit ones;"
                    + " give its build with 32-bit integers (LP64; Debian: libopenblas0, not libopenblas64-0)";

    private final Arena arena = Arena.ofConfined();
    private final Path file;
    private final SymbolLookup symbols;

    /// Opens a library.
    ///
    /// @throws UnsatisfiedLinkError if it is none for this machine or lacks another that it needs, saying which
    Candidate(Path file) {
        this.file = file;
        try {
            DynamicLinker.open(file, arena);
            symbols = SymbolLookup.libraryLookup(file, arena);
        } catch (UnsatisfiedLinkError | IllegalArgumentException e) {
            arena.close();
            throw new UnsatisfiedLinkError(LibraryFormat.explain(file, e.getMessage()));
        }
    }

    /// Returns why products cannot be called in it and the remedy, or null if they can. oneMKL is configured for it,
    /// because its first call is here.
    String fault() {
        Predicate<String> has = name -> symbols.find(name).isPresent();
        String missing = missing(has);
        if (missing != null) {
            return missing;
        }
        String neighbour = MklRuntime.isRuntime(file) ? MklRuntime.missing(file) : null;
        if (neighbour != null) {
            return "it needs " + neighbour + ", which is neither in its folder nor where the system finds libraries;"
                    + " give the libmkl_rt of a complete oneMKL, or add org.bytedeco:mkl and take -Dtoydiff.blas=mkl";
        }
        if (has.test("MKL_CBWR_Set")) {
            MklBlas.configure(symbols, file);
        }
        return has.test("openblas_get_config") && config().contains("USE64BITINT") || takesWideIntegers()
                ? INTEGERS_OF_64_BITS
                : null;
    }

    /// Returns which of the required functions a library lacks and what it seems to be, or null if it has all.
    static String missing(Predicate<String> has) {
        List<String> missing =
                BlasLibrary.REQUIRED.stream().filter(has.negate()).toList();
        return missing.isEmpty() ? null : "it lacks " + String.join(", ", missing) + kind(has);
    }

    private static String kind(Predicate<String> has) {
        if (has.test("cblas_sgemm")) {
            return "";
        }
        if (has.test("cblas_sgemm64_") || has.test("cblas_sgemm_64")) {
            return ": the names of its functions end in 64, so " + INTEGERS_OF_64_BITS;
        }
        if (has.test("cblas_zgemm") || has.test("cblas_cgemm")) {
            return ": it multiplies complex matrices alone; give a library for real ones too";
        }
        if (has.test("sgemm_")) {
            return ": it has the Fortran interface of BLAS alone; give the library with the C interface, often libcblas";
        }
        return ": it is no BLAS library";
    }

    private String config() {
        MethodHandle handle = Linker.nativeLinker().downcallHandle(symbols.findOrThrow("openblas_get_config"), CONFIG);
        try {
            MemorySegment text = (MemorySegment) handle.invokeExact();
            return text.reinterpret(Long.MAX_VALUE).getString(0);
        } catch (Throwable e) {
            throw CBlas.unchecked(e);
        }
    }

    /// Returns whether it reads 64 bits of an integer, found by a dot product of 2 − 2³² elements, of which a library
    /// with 32-bit integers reads the lower half: 2. Any other has nothing to add and reads no element. By all calling
    /// conventions of 64-bit systems, the upper half of an argument that is an int means nothing.
    private boolean takesWideIntegers() {
        MethodHandle dot = Linker.nativeLinker().downcallHandle(symbols.findOrThrow("cblas_sdot"), WIDE_DOT);
        MemorySegment x = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 2);
        MemorySegment y = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 3, 5);
        try {
            return (float) dot.invokeExact(2 - (1L << 32), x, 1L, y, 1L) == 0;
        } catch (Throwable e) {
            throw CBlas.unchecked(e);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
