package org.toydiff.internal.blas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.toydiff.child.Child;
import org.toydiff.child.Probe;

/// Libraries in which a product would end the process, written in C, and files that are no libraries.
@EnabledOnOs(value = OS.LINUX, disabledReason = "files in the format of Linux, and messages of its linker")
class CandidateTest {
    /// A correct library for integers of any width, whose dot product is the only function that is called.
    private static final String LIBRARY = """
            float cblas_sdot(INTEGER n, const float *x, INTEGER incx, const float *y, INTEGER incy) {
                float sum = 0;
                for (INTEGER i = 0; i < n; i++) sum += x[i * incx] * y[i * incy];
                return sum;
            }
            void cblas_sgemm() {}
            void cblas_dgemm() {}
            void cblas_sgemv() {}
            void cblas_dgemv() {}
            void cblas_ddot() {}
            """;

    @TempDir
    private Path folder;

    private Path compile(String name, String source, String... options) throws Exception {
        Path file = folder.resolve("lib" + name + ".so");
        List<String> command = new ArrayList<>(List.of("cc", "-shared", "-fPIC", "-o", file.toString()));
        command.addAll(List.of(
                "-xc", Files.writeString(folder.resolve(name + ".c"), source).toString()));
        command.addAll(List.of("-xnone"));
        command.addAll(List.of(options));
        Path log = folder.resolve("log");
        Process compiler;
        try {
            compiler = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
        } catch (IOException e) {
            assumeTrue(false, "no C compiler: " + e.getMessage());
            return file;
        }
        assertEquals(0, compiler.waitFor(), Files.readString(log));
        return file;
    }

    private static String fault(Path library) {
        try (var candidate = new Candidate(library)) {
            return candidate.fault();
        }
    }

    private static String refusal(Path file) {
        return assertThrows(UnsatisfiedLinkError.class, () -> new Candidate(file))
                .getMessage();
    }

    @Test
    void aLibraryWith32BitIntegersIsAccepted() throws Exception {
        assertNull(fault(compile("lp64", LIBRARY.replace("INTEGER", "int"))));
        String config = "const char *openblas_get_config() { return \"OpenBLAS 0.3.31 DYNAMIC_ARCH\"; }";
        assertNull(fault(compile("config", LIBRARY.replace("INTEGER", "int") + config)));
    }

    @Test
    void aLibraryWithoutLapackeIsNamedByWhatNeedsIt() throws Exception {
        Path library = compile("blas", LIBRARY.replace("INTEGER", "int"));
        Child child = Child.run(List.of(
                "-Dtoydiff.blas=" + library,
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                Child.classPath(),
                Probe.class.getName(),
                "inverse"));
        assertEquals(
                "inverse: " + library + " has BLAS but no LAPACKE; use a library with both: -Dtoydiff.blas=openblas or"
                        + " mkl, or the path of another",
                child.out().strip(),
                child.err());
    }

    @Test
    void aLibraryWith64BitIntegersIsRefusedThoughItsFunctionsHaveTheSameNames() throws Exception {
        String fault = fault(compile("ilp64", LIBRARY.replace("INTEGER", "long")));
        assertTrue(fault.startsWith("it takes 64-bit integers (ILP64)"), fault);
        assertTrue(fault.contains("libopenblas0"), fault);
    }

    @Test
    void aLibraryThatSaysItTakes64BitIntegersIsNotCalled() throws Exception {
        String source =
                LIBRARY.replace("INTEGER", "long").replace("float sum = 0;", "float sum = 0; __builtin_trap();");
        String config = "const char *openblas_get_config() { return \"OpenBLAS 0.3.21  USE64BITINT\"; }";
        String fault = fault(compile("config64", source + config));
        assertTrue(fault.startsWith("it takes 64-bit integers (ILP64)"), fault);
    }

    @Test
    void aLibraryWithFunctionsThatAreNowhereIsRefused() throws Exception {
        String source = LIBRARY.replace("INTEGER", "int") + "void elsewhere(); void cblas_saxpy() { elsewhere(); }";
        String message = refusal(compile("half", source));
        assertTrue(message.contains("undefined symbol: elsewhere: the function is in a library"), message);
    }

    @Test
    void aLibraryThatNeedsAnotherIsRefusedWithItsName() throws Exception {
        Path needed = compile("needed", "void elsewhere() {}", "-Wl,-soname,libneeded.so.7");
        String source = LIBRARY.replace("INTEGER", "int") + "void elsewhere(); void cblas_saxpy() { elsewhere(); }";
        Path library = compile("needs", source, needed.toString());
        Files.delete(needed);
        String message = refusal(library);
        assertTrue(
                message.endsWith("it needs libneeded.so.7; install that, or add its folder to LD_LIBRARY_PATH"),
                message);
    }

    @Test
    void anMklWithoutTheLibrariesThatItOpensIsRefused() throws Exception {
        Path library = compile("mkl_rt", LIBRARY.replace("INTEGER", "int"));
        String fault = fault(library);
        assertTrue(fault.startsWith("it needs libmkl_core.so, which is neither in its folder"), fault);
        for (String name : List.of("libmkl_core.so", "libmkl_intel_lp64.so", "libmkl_def.so")) {
            Files.createFile(folder.resolve(name));
        }
        fault = fault(library);
        assertTrue(fault.startsWith("it needs libmkl_intel_thread with libiomp5"), fault);
        Files.createFile(folder.resolve("libmkl_sequential.so"));
        assertNull(fault(library));
    }

    @ParameterizedTest
    @CsvSource({
        "cblas_sgemm64_, the names of its functions end in 64",
        "cblas_sgemm_64, the names of its functions end in 64",
        "cblas_zgemm, it multiplies complex matrices alone",
        "sgemm_, it has the Fortran interface of BLAS alone",
        "dlopen, it is no BLAS library"
    })
    void aLibraryWithoutTheFunctionsIsNamedByThoseThatItHas(String function, String kind) {
        String missing = Candidate.missing(Set.of(function)::contains);
        assertTrue(missing.startsWith("it lacks cblas_sgemm, cblas_dgemm, "), missing);
        assertTrue(missing.contains(": " + kind), missing);
    }

    @Test
    void aLibraryWithoutSomeFunctionsIsNamedByThem() {
        Set<String> most = Set.of("cblas_sgemm", "cblas_dgemm", "cblas_sgemv", "cblas_dgemv", "cblas_sdot");
        assertEquals("it lacks cblas_ddot", Candidate.missing(most::contains));
    }

    /// Returns the start of a library for Linux.
    private static byte[] elf(int bits, int machine) {
        byte[] header = new byte[64];
        ByteBuffer.wrap(header).putInt(0x7f454c46);
        header[4] = (byte) (bits / 32);
        header[5] = 1;
        header[18] = (byte) machine;
        return header;
    }

    @Test
    void aFileThatCannotBeLoadedIsNamedByItsFormat() {
        String platform = "linux-x86_64";
        String message = "/lib/x.so: invalid ELF header";
        assertEquals(
                "it is a script for the linker of compilers; give the library that it names",
                LibraryFormat.reason("/* GNU ld script */".getBytes(), message, platform));
        assertEquals("it is not a shared library of Linux", LibraryFormat.reason("text".getBytes(), message, platform));
        assertEquals(
                "it is for 32-bit processes; give that for linux-x86_64",
                LibraryFormat.reason(elf(32, 3), message, platform));
        assertEquals(
                "it is for arm64; give that for linux-x86_64", LibraryFormat.reason(elf(64, 183), message, platform));
        assertNull(LibraryFormat.reason(elf(64, 62), message, platform));
        assertNull(LibraryFormat.reason("text".getBytes(), message, "macosx-arm64"));
    }

    @Test
    void aFileThatIsNoLibraryIsRefused() throws Exception {
        Path text = Files.writeString(folder.resolve("libtext.so"), "not a library ".repeat(10));
        String message = refusal(text);
        assertTrue(message.endsWith(": it is not a shared library of Linux"), message);
        message = refusal(Files.write(folder.resolve("libarm.so"), elf(64, 183)));
        assertTrue(message.contains("it is for ") || Artifact.platform().endsWith("arm64"), message);
    }
}
