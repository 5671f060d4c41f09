package org.toydiff.train;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Ends a training in good order when the JVM shuts down, by Ctrl-C for instance: after its step, with its
/// checkpoint and results written.
///
/// The hook waits for a step as long as it takes, but not for data: it interrupts the wait for a batch, and if the
/// data set ignores the interrupt, the JVM ends without waiting for the training.
final class ShutdownHook implements AutoCloseable {
    private static final int POLL_MILLIS = 100;

    /// The number of polls that a wait for data may last before it is interrupted, and again after that.
    private static final int PATIENCE = 20;

    private final Training training;
    private final Thread trainer = Thread.currentThread();
    private final CountDownLatch over = new CountDownLatch(1);
    private final Thread hook = new Thread(this::awaitTraining, "toydiff-trainer-end");

    ShutdownHook(Training training) {
        this.training = training;
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private void awaitTraining() {
        training.stop("the JVM is shutting down");
        try {
            boolean ended = false;
            int waited = 0;
            while (!ended && trainer.isAlive() && !waitsForShutdown() && waited < 2 * PATIENCE) {
                ended = over.await(POLL_MILLIS, TimeUnit.MILLISECONDS);
                waited = training.awaitsData() ? waited + 1 : 0;
                if (waited == PATIENCE) {
                    trainer.interrupt();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Returns whether the training thread called System.exit, and so waits for this hook.
    private boolean waitsForShutdown() {
        for (StackTraceElement frame : trainer.getStackTrace()) {
            if (frame.getClassName().equals("java.lang.Shutdown")) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void close() {
        over.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is shutting down: this hook is running.
        }
    }
}
