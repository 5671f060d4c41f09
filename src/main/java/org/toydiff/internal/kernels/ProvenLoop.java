package org.toydiff.internal.kernels;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.toydiff.internal.events.Events;
import org.toydiff.internal.events.KernelFormEvent;

/// Decides whether a loop's vector form may run. Until C2 has compiled it, the Vector API makes an object of every
/// vector, some kilobytes for each step of a loop; so the scalar form runs, which makes none even when interpreted,
/// until the vector form has shown on a short piece that it makes none either. Both give the same bits, so the
/// change is not seen.
///
/// **How it comes to be compiled** without running: the JVM compiles a method by C2 once it was called some 5,000
/// times (`Tier4InvocationThreshold`), whatever it did. So it is called with no elements, from time to time, in
/// proportion to the scalar form's work; a few calls with elements, each four vectors long, show the compiler that
/// the loop is not dead. They are all the garbage there is. The compiler must not see many of these calls, lest it
/// takes the loop for one that goes round four times: below 40 counts it assumes what it assumes of any loop.
///
/// **When it makes objects again**, because the JVM has thrown its code away, the loop goes back to its scalar form
/// and begins again. If that leads nowhere, a new hidden class gives it a new profile.
///
/// Counts are written without synchronization: threads may lose some.
abstract class ProvenLoop {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static final System.Logger LOG = System.getLogger("org.toydiff");

    /// After so many calls the compiler should have begun.
    private static final int ENOUGH_CALLS = 6_000;

    /// Until then one with elements comes after so many, so that the profile has some at whichever time it is taken.
    private static final int CALLS_OF_SAMPLE = 1_000;

    /// A call without elements for so many that the scalar form computes; more of them after enough calls.
    private static final int ELEMENTS_PER_CALL = 16;

    private static final int ELEMENTS_PER_LATER_CALL = 128;

    private static final int MOST_CALLS_AT_ONCE = 512;

    /// Between trials, in nanoseconds, at first and at most: the time doubles from each to the next.
    private static final long SHORTEST_WAIT = 5_000_000;

    private static final long LONGEST_WAIT = 20_000_000_000L;

    /// After so many trials a new class, this often.
    private static final int TRIALS_OF_CLASS = 10;

    private static final int MOST_CLASSES = 4;

    /// So many runs of the vector form after one at which its bytes were counted.
    private static final int RUNS_BETWEEN_LOOKS = 64;

    /// Volatile, so that whoever reads it sees the class too.
    private volatile boolean proven;

    private int calls;
    private int trials;
    private int classes;
    private long nextTrial;
    private int runsUntilLook;

    /// For logs and flight recordings: what the loop is called there.
    private final String name;

    ProvenLoop(String name) {
        this.name = name;
    }

    /// Defines the vector form's class, or another one with the same code.
    abstract void define();

    /// Runs the vector form over so many elements of scratch memory, 0 or more.
    abstract void runVectors(long elements);

    /// The elements of a trial, a few vectors.
    abstract int trialLength();

    /// Whether the vector form is to run.
    final boolean isProven() {
        return proven;
    }

    /// Nanoseconds of any beginning.
    long now() {
        return System.nanoTime();
    }

    /// Called after the scalar form has computed `elements` that the vector form could have computed.
    final void advance(long elements) {
        if (proven) {
            return;
        }
        if (classes == 0) {
            defineNext();
        }
        long most = elements / (calls < ENOUGH_CALLS ? ELEMENTS_PER_CALL : ELEMENTS_PER_LATER_CALL);
        most = Math.min(MOST_CALLS_AT_ONCE, most);
        for (int i = 0; i < most; i++) {
            runVectors(0);
        }
        boolean samples = calls / CALLS_OF_SAMPLE != (calls + most) / CALLS_OF_SAMPLE;
        calls += (int) most;
        if (calls < ENOUGH_CALLS && samples) {
            runVectors(trialLength());
        } else if (calls >= ENOUGH_CALLS && now() - nextTrial >= 0) {
            attempt();
        }
    }

    private void defineNext() {
        define();
        classes++;
        trials = 0;
        calls = 0;
        nextTrial = now();
        runVectors(trialLength());
    }

    private void attempt() {
        int length = trialLength();
        long before = bytes();
        runVectors(length);
        if (bytes() == before) {
            runsUntilLook = 0;
            trials = 0;
            choose(true);
            return;
        }
        nextTrial = now() + Math.min(LONGEST_WAIT, SHORTEST_WAIT << Math.min(trials, 32));
        trials++;
        if (trials == TRIALS_OF_CLASS && classes < MOST_CLASSES) {
            defineNext();
        }
    }

    /// Whether the next run's bytes are to be counted.
    final boolean isDue() {
        return --runsUntilLook < 0;
    }

    /// Called after a run of the vector form whose bytes were counted.
    final void judge(long bytes) {
        runsUntilLook = RUNS_BETWEEN_LOOKS;
        if (bytes > 0) {
            calls = 0;
            nextTrial = now();
            choose(false);
        }
    }

    private void choose(boolean vector) {
        proven = vector;
        LOG.log(System.Logger.Level.DEBUG, () -> "kernel " + name + ": " + (vector ? "vector" : "scalar") + " form");
        KernelFormEvent event = Events.kernelForm();
        if (event != null) {
            event.write(name, vector);
        }
    }

    /// The bytes that this thread has allocated so far.
    static long bytes() {
        return THREADS.getCurrentThreadAllocatedBytes();
    }
}
