package org.toydiff.bench.scaleout;

import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/// The numbers that a process prints for the one that started it, as the last line of its output.
final class ChildOutput {
    private ChildOutput() {}

    static void print(double... numbers) {
        System.out.println(DoubleStream.of(numbers).mapToObj(Double::toString).collect(Collectors.joining(" ")));
    }

    static double[] parse(String output) {
        String line = output.lines().reduce("", (first, last) -> last).strip();
        return Stream.of(line.split(" ")).mapToDouble(Double::parseDouble).toArray();
    }
}
