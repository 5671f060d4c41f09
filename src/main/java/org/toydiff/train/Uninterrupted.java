package org.toydiff.train;

import java.io.IOException;

/// Writing in an interrupted thread, whose channels would be closed; the interrupt is put back afterwards.
final class Uninterrupted {
    /// Writes something.
    interface Writing {
        void run() throws IOException;
    }

    private Uninterrupted() {}

    static void run(Writing writing) throws IOException {
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
