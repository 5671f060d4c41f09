package org.toydiff.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.toydiff.Tensor;

/// Checks of what is to be put back.
final class States {
    private States() {}

    /// Throws unless `given` has a tensor of the same shape and dtype for each name of `current`, and no other.
    static void requireFits(String who, Map<String, Tensor> current, Map<String, Tensor> given) {
        List<String> problems = new ArrayList<>();
        current.forEach((name, tensor) -> {
            Tensor found = given.get(name);
            if (found == null) {
                problems.add(name + " is missing");
            } else if (found.dtype() != tensor.dtype() || !Arrays.equals(found.shape(), tensor.shape())) {
                problems.add(name + " is " + describe(found) + " and not " + describe(tensor));
            }
        });
        for (String name : given.keySet()) {
            if (!current.containsKey(name)) {
                problems.add(name + " is unknown");
            }
        }
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException(who + ": loadStateDict: " + String.join("; ", problems));
        }
    }

    static String describe(Tensor tensor) {
        return Arrays.toString(tensor.shape()) + " " + tensor.dtype().name();
    }
}
