package org.toydiff.examples;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.toydiff.Tensor;

/// A text as numbers: each character is its position among the text's distinct characters, in their order.
///
/// @param characters the distinct characters, ascending
/// @param numbers the text
record CharacterText(char[] characters, long[] numbers) {
    /// Reads a file or, of a folder, the Java sources below it in the order of their paths, ends of lines included.
    static CharacterText read(Path place) throws IOException {
        var text = new StringBuilder();
        try (Stream<Path> files = Files.walk(place)) {
            for (Path file : files.filter(
                            each -> each.equals(place) || each.toString().endsWith(".java"))
                    .filter(Files::isRegularFile)
                    .sorted()
                    .toList()) {
                text.append(Files.readString(file, StandardCharsets.UTF_8));
            }
        }
        return of(text.toString());
    }

    static CharacterText of(String text) {
        String distinct = text.chars()
                .distinct()
                .sorted()
                .collect(StringBuilder::new, (all, c) -> all.append((char) c), StringBuilder::append)
                .toString();
        char[] characters = distinct.toCharArray();
        long[] numbers = text.chars()
                .mapToLong(c -> Arrays.binarySearch(characters, (char) c))
                .toArray();
        return new CharacterText(characters, numbers);
    }

    int size() {
        return numbers.length;
    }

    char character(long number) {
        return characters[Math.toIntExact(number)];
    }

    /// Returns the number of a character that the text has, 0 for others.
    long number(char character) {
        return Math.max(0, Arrays.binarySearch(characters, character));
    }

    /// Returns pieces of the text, `[starts, length]`, INT64.
    Tensor pieces(int[] starts, int length) {
        long[] all = new long[starts.length * length];
        for (int i = 0; i < starts.length; i++) {
            System.arraycopy(numbers, starts[i], all, i * length, length);
        }
        return Tensor.of(all, starts.length, length);
    }
}
