package org.toydiff.train;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Lets a training end in good order when the JVM is told to end, by Ctrl-C for instance: after its step, with what
/// it leaves behind written.
final class JvmEnd implements AutoCloseable {
    private final Training training;
    private final Thread trainer = Thread.currentThread();
    private final CountDownLatch over = new CountDownLatch(1);
    private final Thread hook = new Thread(this::end, "toydiff-trainer-end");

    JvmEnd(Training training) {
        this.training = training;
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private void end() {
        training.stop("the JVM was told to end");
        try {
            boolean ended = false;
            while (!ended && trainer.isAlive() && !waitsForTheEnd()) {
                ended = over.await(100, TimeUnit.MILLISECONDS);
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
