package org.toydiff.child;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.toydiff.io.SafeTensors;

/// Opens and saves safetensors in a JVM without Gson.
public final class WithoutGson {
    private WithoutGson() {}

    /// Prints the two messages.
    ///
    /// @param arguments the file to open and the file to save
    public static void main(String[] arguments) throws IOException {
        try {
            SafeTensors.open(Path.of(arguments[0])).close();
        } catch (IllegalStateException e) {
            System.out.println(e.getMessage());
        }
        try {
            SafeTensors.save(Path.of(arguments[1]), Map.of());
        } catch (IllegalStateException e) {
            System.out.println(e.getMessage());
        }
    }
}
