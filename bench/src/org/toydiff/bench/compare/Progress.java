package org.toydiff.bench.compare;

/// What the driver tells while it runs, on stderr.
final class Progress {
    private Progress() {}

    static void say(String message) {
        System.err.println(message);
    }
}
