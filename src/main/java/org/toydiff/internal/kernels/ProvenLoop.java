package org.toydiff.internal.kernels;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicInteger;
import org.toydiff.internal.events.Events;
import org.toydiff.internal.events.KernelFormEvent;

/// Decides whether a loop's vector form may run. Until C2 has compiled it, the Vector API allocates an object for
/// every vector, some kilobytes for each step of a loop; so the scalar form runs, which allocates none even when
/// interpreted, until the vector form has shown in a short trial that it allocates none either. Both give the same
/// bits, so the switch has no effect on results.
///
/// **How the vector form gets compiled** without running: the JVM compiles a method with C2 after some 5,000 calls
/// (`Tier4InvocationThreshold`), whatever the calls do. So it is called with no elements, from time to time, in
/// proportion to the scalar form's work; a few calls with elements, each four vectors long, show the compiler that
/// the loop is not dead. These are the only source of garbage. The compiler must not see many of them, lest it take
/// the loop for one of four iterations: below 40 counts it applies its default assumption for loops.
///
/// **When the vector form allocates again**, because the JVM has discarded its code, the loop returns to its scalar
/// form and starts over. If that does not help, a new hidden class gives it a new profile; but not while the
/// compilers are busy, when the class at hand may still be waiting its turn: each class is compiled in full.
///
/// **When compiled code gives up** at the same place in every run, nothing is compiled until it has done so four times
/// (`PerBytecodeTrapLimit`): a check that C2 has moved out of the loop, trusting its profile, may fail where those in
/// the loop would not (`Reason_profile_predicate`), and the interpreter goes on with the run. So a trial repeats its
/// run that often while the compilers are idle; the runs of successive trials are seconds apart.
///
/// Two runs in succession must allocate, for the JVM allocates in a run too, once: before C2 compiles a method, the
/// thread that asked for it makes all strings of the method's class (`CompileBroker::compile_method` calls
/// `resolve_string_constants`). Those of the class that counts allocated bytes take 896 B.
///
/// Counts are written without synchronization: threads may lose some.
abstract class ProvenLoop {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /// Null in a JVM that only interprets.
    private static final CompilationMXBean COMPILATION = ManagementFactory.getCompilationMXBean();

    private static final System.Logger LOG = System.getLogger("org.toydiff");

    /// After this many calls the compiler should have started.
    private static final int ENOUGH_CALLS = 6_000;

    /// Until then one call in this many has elements, so that the profile has some whenever it is taken.
    private static final int CALLS_OF_SAMPLE = 1_000;

    /// Elements of the scalar form for each call without elements; more of them after enough calls.
    private static final int ELEMENTS_PER_CALL = 16;

    private static final int ELEMENTS_PER_LATER_CALL = 1_024;

    private static final int MAX_CALLS_AT_ONCE = 512;

    /// The wait between trials, in nanoseconds, at first and at most, and that after the trials of the last class: it
    /// doubles from each trial to the next.
    private static final long SHORTEST_WAIT = 5_000_000;

    private static final long LONGEST_WAIT = 1_000_000_000;

    private static final long LAST_WAIT = 20_000_000_000L;

    /// Trials before a new class is defined, and the maximum number of classes.
    private static final int TRIALS_OF_CLASS = 10;

    private static final int MAX_CLASSES = 4;

    /// The trials of a class in which the code may not have been compiled yet, because they are so close together.
    private static final int EARLY_TRIALS = 4;

    /// The runs of a later trial, one more than the failures of a check after which the JVM compiles without it.
    private static final int RUNS_OF_TRIAL = 5;

    /// The compilers are busy if they have worked for more than this part of the time since the last trial.
    private static final double BUSY = 0.25;

    private static final long NOT_COUNTED = -1;

    /// Runs of the vector form between two whose bytes are counted.
    private static final int RUNS_BETWEEN_LOOKS = 64;

    /// The loops that have been made, and those of them whose vector form runs.
    private static final AtomicInteger LOOPS = new AtomicInteger();

    private static final AtomicInteger PROVEN = new AtomicInteger();

    /// The class of mapped files, which no method returns without a file.
    private static final String MAPPED_SEGMENT = "jdk.internal.foreign.MappedMemorySegmentImpl";

    static {
        loadSegmentClasses();
    }

    /// Volatile, so that a thread that reads it sees the class too.
    private volatile boolean proven;

    private int calls;
    private int waits;

    /// Trials of the class at hand while the compilers were not busy.
    private int trials;

    private int classes;
    private long lastTrial;
    private long nextTrial;

    /// The time that the compilers had worked at the last trial, in milliseconds.
    private long compiled;

    /// Elements of the scalar form for which no call has been made yet.
    private long uncalled;

    private int runsUntilLook;

    /// Whether the last run whose bytes were counted allocated some.
    private boolean allocated;

    /// The loop's name in logs and flight recordings.
    private final String name;

    ProvenLoop(String name) {
        this.name = name;
        LOOPS.incrementAndGet();
    }

    /// Loads the JDK's classes of segments and of their lifetimes before the first loop is compiled.
    ///
    /// The compiler relies on the classes that are loaded: while all segments are native ones, it calls their methods
    /// directly. When the first segment of another class appears, the JVM discards every loop compiled so far (class
    /// hierarchy analysis), and a vector form then allocates until it has been compiled again. Such a class may appear
    /// late: the Vector API views an array as a segment when it shuffles lanes before it has been compiled, and a
    /// program may map a file or open a shared arena.
    private static void loadSegmentClasses() {
        MemorySegment.ofArray(new byte[1]);
        Arena.ofAuto();
        Arena.ofConfined().close();
        Arena.ofShared().close();
        try {
            Class.forName(MAPPED_SEGMENT);
        } catch (ClassNotFoundException e) {
            // A JDK without it: a mapped file may cost the loops one more compilation.
        }
    }

    static int loops() {
        return LOOPS.get();
    }

    static int provenLoops() {
        return PROVEN.get();
    }

    /// Defines the vector form's class, or another one with the same code.
    abstract void define();

    /// Runs the vector form over this many elements of scratch memory, 0 or more.
    abstract void runVectors(long elements);

    /// {@return the number of elements of a trial, a few vectors}
    abstract int trialLength();

    /// {@return whether the vector form is to run}
    final boolean isProven() {
        return proven;
    }

    /// {@return nanoseconds since an arbitrary origin}
    long now() {
        return System.nanoTime();
    }

    /// {@return milliseconds for which the compilers have worked since the JVM's start}
    long compilationTime() {
        return COMPILATION == null ? 0 : COMPILATION.getTotalCompilationTime();
    }

    /// Called after the scalar form has computed `elements` that the vector form could have computed.
    final void advance(long elements) {
        if (proven) {
            return;
        }
        if (classes == 0) {
            defineNext();
        }
        int elementsPerCall = calls < ENOUGH_CALLS ? ELEMENTS_PER_CALL : ELEMENTS_PER_LATER_CALL;
        uncalled += elements;
        long most = Math.min(MAX_CALLS_AT_ONCE, uncalled / elementsPerCall);
        uncalled %= elementsPerCall;
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
        waits = 0;
        calls = 0;
        lastTrial = now();
        nextTrial = lastTrial;
        compiled = compilationTime();
        runVectors(trialLength());
    }

    private void attempt() {
        boolean busy = areCompilersBusy();
        boolean last = trials >= TRIALS_OF_CLASS;
        if (makesNoObjects(busy || last || waits < EARLY_TRIALS ? 1 : RUNS_OF_TRIAL)) {
            runsUntilLook = 0;
            allocated = false;
            trials = 0;
            waits = 0;
            choose(true);
            return;
        }
        trials += busy ? 0 : 1;
        if (trials == TRIALS_OF_CLASS && classes < MAX_CLASSES) {
            defineNext();
            return;
        }
        nextTrial = lastTrial + Math.min(last ? LAST_WAIT : LONGEST_WAIT, SHORTEST_WAIT << Math.min(waits, 32));
        waits++;
    }

    /// {@return whether the compilers have been busy since the last trial}
    private boolean areCompilersBusy() {
        long before = lastTrial;
        long compiledBefore = compiled;
        lastTrial = now();
        compiled = compilationTime();
        return (compiled - compiledBefore) * 1e6 > BUSY * (lastTrial - before);
    }

    /// {@return whether one of so many runs, or fewer, allocates nothing}
    private boolean makesNoObjects(int runs) {
        int length = trialLength();
        for (int i = 0; i < runs; i++) {
            long before = bytes();
            runVectors(length);
            if (bytes() == before) {
                return true;
            }
        }
        return false;
    }

    /// {@return whether the next run's bytes are to be counted}
    final boolean isDue() {
        return --runsUntilLook < 0;
    }

    /// Called after a run of the vector form whose bytes were counted.
    final void judge(long bytes) {
        boolean again = allocated;
        allocated = bytes > 0;
        runsUntilLook = allocated ? 0 : RUNS_BETWEEN_LOOKS;
        if (allocated && again) {
            calls = 0;
            nextTrial = now();
            choose(false);
        }
    }

    /// Called before a run of the vector form.
    ///
    /// @return the bytes that this thread has allocated so far, or [#NOT_COUNTED]
    final long begin() {
        return isDue() ? bytes() : NOT_COUNTED;
    }

    /// Called after that run with the result of [#begin].
    final void end(long before) {
        if (before != NOT_COUNTED) {
            judge(bytes() - before);
        }
    }

    /// Of threads that see the same trial succeed, or the same run make objects, one reports the change.
    private synchronized void choose(boolean vector) {
        if (proven == vector) {
            return;
        }
        proven = vector;
        PROVEN.addAndGet(vector ? 1 : -1);
        LOG.log(System.Logger.Level.DEBUG, () -> "kernel " + name + ": " + (vector ? "vector" : "scalar") + " form");
        KernelFormEvent event = Events.kernelForm();
        if (event != null) {
            event.write(name, vector);
        }
    }

    /// {@return the bytes that this thread has allocated so far}
    private static long bytes() {
        return THREADS.getCurrentThreadAllocatedBytes();
    }
}
