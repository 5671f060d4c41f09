package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The page of [Tensor] lists every method once, by subject, beside the interface that declares it.
class TensorPageTest {
    private static final Path SOURCE =
            Path.of(System.getProperty("toydiff.test.basedir"), "src/main/java/org/toydiff/Tensor.java");

    /// An entry of the list: its interface, or Tensor, and the names that it links.
    private record Subject(String declaredBy, List<String> methods) {}

    private static List<Subject> subjects() throws IOException {
        String source = Files.readString(SOURCE);
        String comment = source.substring(source.indexOf("\n/// An n-dim"), source.indexOf("\npublic final class"))
                .replace("\n///   ", " ");
        List<Subject> subjects = new ArrayList<>();
        comment.lines().filter(line -> line.startsWith("/// - ")).forEach(line -> {
            List<String> declaring = found("\\(\\[(\\w+)\\]\\)", line);
            subjects.add(new Subject(
                    declaring.isEmpty() ? "Tensor" : declaring.getFirst(), found("\\[\\w+\\]\\[#(\\w+)\\]", line)));
        });
        return subjects;
    }

    private static List<String> found(String regex, String text) {
        return Pattern.compile(regex)
                .matcher(text)
                .results()
                .map(match -> match.group(1))
                .toList();
    }

    private static Stream<Method> methods() {
        return Arrays.stream(Tensor.class.getMethods())
                .filter(method -> !method.getName().equals("toString"))
                .filter(method -> method.getDeclaringClass() != Object.class);
    }

    @Test
    void everyMethodIsListedOnce() throws IOException {
        List<String> listed = subjects().stream()
                .flatMap(subject -> subject.methods.stream())
                .sorted()
                .toList();
        assertEquals(
                List.copyOf(methods().map(Method::getName).collect(Collectors.toCollection(TreeSet::new))), listed);
    }

    @Test
    void eachStandsBesideTheInterfaceThatDeclaresIt() throws IOException {
        for (Subject subject : subjects()) {
            var declared = new TreeSet<>(subject.methods);
            declared.removeIf(name -> methods()
                    .anyMatch(method -> method.getName().equals(name)
                            && method.getDeclaringClass().getSimpleName().equals(subject.declaredBy)));
            assertEquals(new TreeSet<>(), declared, "not declared by " + subject.declaredBy);
        }
    }

    @Test
    void everyLinkIsNamedAsItsTarget() throws IOException {
        Pattern.compile("\\[(\\w+)\\]\\[#(\\w+)\\]")
                .matcher(Files.readString(SOURCE))
                .results()
                .forEach(link -> assertEquals(link.group(2), link.group(1)));
    }
}
