package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.toydiff.child.Child;
import org.toydiff.child.EveryFunction;

/// A training ends with the same bits each time: in another process, with scalar kernels or vector forms, and when
/// it is stopped at half, saved, and resumed by a fresh process.
@Execution(ExecutionMode.CONCURRENT)
class SameTrainingTest {
    /// Of both dtypes, a model and nine optimizers.
    private static final int CHECKSUMS = 2 * (1 + 15);

    @TempDir
    private Path folder;

    /// Compiled by C1 alone, which is done sooner and has other code for the same loops.
    private static final String SCALAR = "-XX:TieredStopAtLevel=1";

    private static final String VECTORS = "--add-modules=jdk.incubator.vector";

    private static List<String> train(String option, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                "--enable-native-access=ALL-UNNAMED", option, "-cp", Child.classPath(), EveryFunction.class.getName()));
        command.addAll(List.of(arguments));
        Child child = Child.run(command);
        assertEquals(0, child.exit(), child.err());
        return child.out().lines().toList();
    }

    @Test
    void aTrainingWithEveryFunctionEndsWithTheSameBits() throws Exception {
        List<String> scalar = train(SCALAR, "whole");
        assertEquals(CHECKSUMS, scalar.size());
        assertEquals(scalar, train(VECTORS, "whole"), "with the Vector API");
        train(SCALAR, "first", folder.toString());
        assertEquals(scalar, train(VECTORS, "second", folder.toString()), "saved at half and resumed");
    }
}
