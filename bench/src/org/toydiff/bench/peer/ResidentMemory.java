package org.toydiff.bench.peer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The resident memory of this process, as Linux counts it.
public final class ResidentMemory {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path CLEAR = Path.of("/proc/self/clear_refs");

    private ResidentMemory() {}

    /// Returns the peak during a run, minus the resident memory just before it.
    ///
    /// @param run the code to measure
    /// @return the difference in bytes
    /// @throws IOException if the system does not report its memory
    public static long peakBytes(Runnable run) throws IOException {
        long before = bytes("VmRSS:");
        // Resets the peak: proc(5).
        Files.writeString(CLEAR, "5");
        run.run();
        return bytes("VmHWM:") - before;
    }

    private static long bytes(String field) throws IOException {
        if (!Files.exists(STATUS)) {
            throw new IOException("there is no " + STATUS + "; the memory workload needs Linux");
        }
        for (String line : Files.readAllLines(STATUS)) {
            if (line.startsWith(field)) {
                return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
            }
        }
        throw new IOException(STATUS + " has no " + field);
    }
}
