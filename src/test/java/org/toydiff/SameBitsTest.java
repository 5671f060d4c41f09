package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.toydiff.child.Child;
import org.toydiff.child.Fingerprint;

/// Every process computes the same bits: with or without the Vector API, on every width of vector, with any number of
/// threads, interpreted or compiled.
@Execution(ExecutionMode.CONCURRENT)
class SameBitsTest {
    private static List<String> fingerprint(String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(
                "-Xmx1g",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+IgnoreUnrecognizedVMOptions"));
        arguments.addAll(List.of(options));
        arguments.addAll(List.of("-cp", Child.classPath(), Fingerprint.class.getName()));
        Child child = Child.run(arguments);
        assertEquals(0, child.exit(), child.err());
        List<String> lines =
                child.out().lines().filter(line -> !line.contains("warning")).toList();
        assertTrue(lines.size() > 40, child.out());
        return lines;
    }

    @Test
    void everyProcessComputesTheSameBits() throws Exception {
        String vectors = "--add-modules=jdk.incubator.vector";
        List<String> scalar = fingerprint("-Dtoydiff.threads=1");
        assertEquals(scalar, fingerprint(vectors, "-Dtoydiff.threads=4"), "with the Vector API and four threads");
        assertEquals(
                scalar,
                fingerprint(vectors, "-Dtoydiff.threads=1", "-XX:UseAVX=2"),
                "with vectors of at most 256 bits and one thread");
        assertEquals(scalar, fingerprint("-XX:TieredStopAtLevel=1"), "compiled by C1 alone");
    }
}
