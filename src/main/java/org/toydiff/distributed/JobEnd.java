package org.toydiff.distributed;

import java.util.concurrent.TimeUnit;
import org.toydiff.internal.mpi.Communicator;

/// Ends the whole job when this process fails, and reports when others end it.
final class JobEnd {
    /// Time for the messages of all processes: the launcher kills the others at once.
    private static final long MESSAGES_MILLIS = 500;

    private final Communicator communicator;
    private final String who;
    private final Thread exit = new Thread(this::report, "toydiff-exit");
    private Thread.UncaughtExceptionHandler before;
    private volatile boolean failed;
    private volatile boolean aborting;

    JobEnd(Communicator communicator) {
        this.communicator = communicator;
        this.who = "rank " + communicator.rank() + " of " + communicator.size();
    }

    /// Installs the handlers of uncaught exceptions and of the exit of the JVM.
    void install() {
        before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> {
            System.err.println("toydiff: " + who + " failed in thread " + thread.getName() + ":");
            if (before == null) {
                e.printStackTrace();
            } else {
                before.uncaughtException(thread, e);
            }
            System.err.flush();
            abort();
        });
        Runtime.getRuntime().addShutdownHook(exit);
    }

    /// Notes that this process takes no more part in collectives.
    void failed() {
        failed = true;
    }

    boolean hasFailed() {
        return failed || communicator.isBroken();
    }

    private void abort() {
        aborting = true;
        try {
            TimeUnit.MILLISECONDS.sleep(MESSAGES_MILLIS);
        } catch (InterruptedException e) {
            // Abort without waiting.
        }
        communicator.abort(1);
    }

    private void report() {
        if (!aborting) {
            System.err.println(
                    "toydiff: " + who + " ends before its process group is closed: the launcher has ended the"
                            + " job because another process failed or was killed, or this program has exited by itself");
            System.err.flush();
        }
    }

    /// Removes the handlers: the job has ended well.
    void remove() {
        Thread.setDefaultUncaughtExceptionHandler(before);
        try {
            Runtime.getRuntime().removeShutdownHook(exit);
        } catch (IllegalStateException e) {
            // The JVM is exiting already, and the hook runs.
            aborting = true;
        }
    }
}
