package org.toydiff.child;

import java.io.IOException;
import java.nio.file.Path;
import org.toydiff.TensorArena;
import org.toydiff.data.CsvFile;
import org.toydiff.data.ImageFolder;

/// Reads `a.csv` and the images of a folder.
public final class ReadFiles {
    private ReadFiles() {}

    /// Prints the library's module and the number of rows and images, or why there are none.
    ///
    /// @param arguments the folder
    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        System.out.println(CsvFile.class.getModule());
        try (var arena = TensorArena.ofConfined()) {
            try {
                System.out.println(
                        CsvFile.of(folder.resolve("a.csv")).labels("y").read().size() + " rows");
            } catch (IllegalStateException e) {
                System.out.println(e.getMessage());
            }
            try {
                System.out.println(ImageFolder.open(folder).size() + " images");
            } catch (IllegalStateException e) {
                System.out.println(e.getMessage());
            }
        }
    }
}
