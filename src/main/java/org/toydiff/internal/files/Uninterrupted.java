package org.toydiff.internal.files;

import java.io.IOException;

/// Writing in an interrupted thread, whose channels would be closed; the interrupt is put back afterwards.
public final class Uninterrupted {
    /// Writes something.
    public interface Writing {
        /// Writes.
        void run() throws IOException;
    }

    private Uninterrupted() {}

    /// Runs it with the interrupt held back.
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
