package org.toydiff.bench.compare;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/// The time that memory alone takes: the bytes that a program must read and write, over the bandwidth that C
/// measures in each round, by copying or by adding, whichever is faster.
final class MemoryLimit {
    /// Its column.
    static final String NAME = "memory";

    private MemoryLimit() {}

    static Contestant contestant(TimedProgram program) throws IOException {
        Path bandwidth = NativePrograms.build("bandwidth").toAbsolutePath();
        return new Contestant(NAME, () -> program.leastBytes() / gigabytesPerSecond(bandwidth) / 1e3);
    }

    private static double gigabytesPerSecond(Path program) throws IOException {
        JsonObject measured = JsonParser.parseString(CommandLines.output(List.of(program.toString())))
                .getAsJsonObject();
        return measured.entrySet().stream()
                .filter(entry -> !entry.getKey().startsWith("sum"))
                .mapToDouble(entry -> entry.getValue().getAsDouble())
                .max()
                .orElseThrow();
    }
}
