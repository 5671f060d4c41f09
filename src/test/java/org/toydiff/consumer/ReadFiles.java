package org.toydiff.consumer;

import java.io.IOException;
import java.nio.file.Path;
import org.toydiff.TensorArena;
import org.toydiff.data.CsvFile;
import org.toydiff.data.ImageFolder;

/// A program outside the library, which reads `a.csv` and the images of a folder.
final class ReadFiles {
    private ReadFiles() {}

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
