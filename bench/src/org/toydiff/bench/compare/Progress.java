package org.toydiff.bench.compare;

/// The driver's progress messages, on stderr.
final class Progress {
    private Progress() {}

    static void say(String message) {
        System.err.println(message);
    }
}
