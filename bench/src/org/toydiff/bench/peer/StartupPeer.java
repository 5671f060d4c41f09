package org.toydiff.bench.peer;

/// A program that ends after its 100th training step, for the driver to time as a whole process.
public final class StartupPeer {
    private static final int STEPS = 100;
    private static final int BATCH = 64;
    private static final int ROWS = 1437;

    private StartupPeer() {}

    /// Trains and prints the last loss as JSON.
    ///
    /// @param arguments not used
    public static void main(String[] arguments) {
        double loss = 0;
        try (var training = new ToydiffTraining("adam", StartingNumbers.STARTUP_WIDTHS)) {
            training.use(ROWS);
            for (int i = 0; i < STEPS; i++) {
                int from = i % (ROWS / BATCH) * BATCH;
                loss = training.step(from, from + BATCH);
            }
        }
        System.out.println("{\"loss\": " + loss + "}");
    }
}
