package org.toydiff.io;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/// What a test runs in a child JVM without Gson.
final class WithoutGson {
    private WithoutGson() {}

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
