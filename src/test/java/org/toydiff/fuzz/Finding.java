package org.toydiff.fuzz;

/// What a program found: the library did what its documentation does not say.
final class Finding extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private String program = "";

    Finding(String message) {
        super(message);
    }

    Finding(String message, Throwable cause) {
        super(message, cause);
    }

    /// The calls that led to it.
    Finding in(String lines) {
        program = lines;
        return this;
    }

    String program() {
        return program;
    }

    /// What stays the same while a program shrinks: the message without names and numbers, or what was thrown by what.
    String kind() {
        if (getCause() == null) {
            return getMessage()
                    .split("\n", 2)[0]
                    .replaceAll("[a-z]*-?\\d[-\\d.E]*|NaN|-?Infinity", "#")
                    .replaceAll("\\[[^]]*]", "[]");
        }
        String message = String.valueOf(getCause().getMessage());
        String op = message.contains(":") ? message.substring(0, message.indexOf(':')) : "";
        return getCause().getClass().getSimpleName() + " " + op;
    }
}
