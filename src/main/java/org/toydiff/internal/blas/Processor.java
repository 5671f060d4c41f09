package org.toydiff.internal.blas;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// The processor, as the operating system describes it.
final class Processor {
    private Processor() {}

    /// Returns whether Intel made it.
    static boolean isIntel() {
        return isIntel(Path.of("/proc/cpuinfo"));
    }

    /// Returns whether a file has Intel's name for itself: `vendor_id : GenuineIntel` in Linux's `/proc/cpuinfo`
    /// (proc_cpuinfo(5)). Other systems have no such file, and oneMKL has no artifact for them.
    static boolean isIntel(Path description) {
        try (BufferedReader lines = Files.newBufferedReader(description, StandardCharsets.ISO_8859_1)) {
            // The description of the first processor is enough; a server has hundreds.
            return lines.lines()
                    .filter(line -> line.startsWith("vendor_id"))
                    .findFirst()
                    .filter(line -> line.endsWith("GenuineIntel"))
                    .isPresent();
        } catch (IOException e) {
            return false;
        }
    }
}
