package org.toydiff.internal.files;

import java.io.IOException;

/// Writes files in an interrupted thread, whose channels would be closed at once; the interrupt is restored
/// afterwards.
public final class Uninterrupted {
    /// Writes a file.
    public interface Writing {
        /// Writes it.
        void run() throws IOException;
    }

    private Uninterrupted() {}

    /// Runs `writing` with the interrupt status cleared, and restores it.
    public static void run(Writing writing) throws IOException {
        boolean interrupted = Thread.interrupted();
        try {
            writing.run();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
