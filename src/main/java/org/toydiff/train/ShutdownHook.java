package org.toydiff.train;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Lets a training end in good order when the JVM is told to end, by Ctrl-C for instance: after its step, with what
/// it leaves behind written.
///
/// A step is waited for as long as it takes. Data that do not come are not: the wait for them is interrupted, and
/// where the data set does not mind that, the JVM ends without the training.
final class ShutdownHook implements AutoCloseable {
    private static final int LOOK_MILLIS = 100;

    /// How many looks long data are waited for before the wait is interrupted, and after it.
    private static final int PATIENCE = 20;

    private final Training training;
    private final Thread trainer = Thread.currentThread();
    private final CountDownLatch over = new CountDownLatch(1);
    private final Thread hook = new Thread(this::end, "toydiff-trainer-end");

    ShutdownHook(Training training) {
        this.training = training;
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private void end() {
        training.stop("the JVM was told to end");
        try {
            boolean ended = false;
            int waited = 0;
            while (!ended && trainer.isAlive() && !waitsForTheEnd() && waited < 2 * PATIENCE) {
                ended = over.await(LOOK_MILLIS, TimeUnit.MILLISECONDS);
                waited = training.awaitsData() ? waited + 1 : 0;
                if (waited == PATIENCE) {
                    trainer.interrupt();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Whether the training thread itself called System.exit, and so waits for this hook.
    private boolean waitsForTheEnd() {
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
            // The JVM is ending, and the hook is what let this run.
        }
    }
}
