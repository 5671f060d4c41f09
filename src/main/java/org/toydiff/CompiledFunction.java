package org.toydiff;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.toydiff.internal.events.Events;
import org.toydiff.internal.events.FunctionRecordingEvent;

/// A function of tensors, a training step or an inference, that is recorded the first time it runs and replayed
/// from then on: the same launches over memory planned once, without Java objects and without a graph.
///
/// ```java
/// try (var step = CompiledFunction.of((x, y) -> {
///         optimizer.zeroGradients();
///         Tensor loss = Functional.crossEntropyLoss(net.forward(x), y);
///         loss.backward(Release.EAGER);
///         optimizer.step();
///         return loss; })) {
///     for (Batch batch : loader) meter.add(step.run(batch.x(), batch.y()).item());
/// }
/// ```
///
/// **Same results** A replay gives the bits that the function would. Learning rates, step counts, clipping and
/// random numbers are read when it runs; so are the elements of inputs, parameters and state, and labels are
/// checked again. Numbers and decisions of the function's own Java code are those of the recorded run: a factor
/// that changes belongs into an input, and code that must run each time into [#onEachRun].
///
/// **Recordings** One for each set of shapes, dtypes and strides of the inputs, and for whatever else ops found
/// different: another mode of a layer, a parameter frozen, gradients that are there already. The 8 that were used
/// last are kept. [#recordings()] counts them all, Flight Recorder has an event for each
/// (`toydiff.FunctionRecording`), and the log a warning when one is dropped: a function that records often gains
/// nothing.
///
/// **Loops** Elementwise ops that follow each other run as one loop over their operands, whose intermediates are in
/// memory only if something else reads them; a reduction, softmax, cross entropy or dropout takes its first
/// operand from such a loop. Each element gets the operations that the single ops perform, so its bits are theirs.
///
/// **Memory** The temporaries of a recording lie in one block in the arena that was innermost when the function
/// was compiled ([#plan()]). Each lives until the last launch that reads it, whatever [Release] the function names.
/// The first run makes its tensors in an arena that is closed after it. Inputs are read where they lie. The result
/// is the same tensor each time; the next run overwrites it, so [Tensor#copyTo] keeps it.
///
/// **Heap** A replay makes no objects once the JVM has compiled it, except for custom ops and code of [#onEachRun] that
/// make some. Until C2 has compiled the call of BLAS or LAPACK, in some JVMs for hundreds of thousands of runs, a
/// product makes up to 120 bytes, one of two vectors 80, an op of [Linalg] up to 160.
///
/// **Refused** While recording, IllegalStateException is thrown by everything that would be lost in a replay:
/// reading elements ([Tensor#item()] and the like), ops whose result's shape depends on elements (`nonzero`,
/// `select`, `unique`, `bincount`), tensors made in, or moved to, an arena that was opened before, closing or
/// entering such an arena, steps of [Updates] outside [#onEachRun], a [CustomOp] that is not replayable, and another
/// compiled function. What the run had changed until then stays, as when an uncompiled function fails.
///
/// **Threads** A function runs on one thread at a time; a second one that calls it meanwhile gets an exception.
/// Threads that serve requests compile one each, over the same parameters. A training step must have its
/// parameters for itself.
public final class CompiledFunction implements AutoCloseable {
    /// The recordings that are kept.
    private static final int MOST = 8;

    private final Function<List<Tensor>, List<Tensor>> function;

    /// The number of inputs; −1 for any.
    private final int arity;

    private final TensorArena arena;
    private final AtomicBoolean running = new AtomicBoolean();

    /// The last used first.
    private final List<Recording> recordings = new ArrayList<>();

    /// The inputs of the run in progress, reused.
    private Tensor[] given = {};

    /// Where code of [#onEachRun] makes tensors in a replay; null until the first.
    private TensorArena scratch;

    private int made;

    /// Whether the log has a warning that recordings are dropped.
    private boolean warned;

    private boolean closed;

    private CompiledFunction(int arity, Function<List<Tensor>, List<Tensor>> function) {
        this.arity = arity;
        this.function = function;
        this.arena = Scope.current().innermost("CompiledFunction");
    }

    /// Compiles a function of one tensor. Nothing is computed yet.
    ///
    /// @param function the function
    /// @return the compiled function, with memory in the innermost arena
    /// @throws IllegalStateException if no arena is open
    public static CompiledFunction of(UnaryOperator<Tensor> function) {
        return new CompiledFunction(1, inputs -> List.of(function.apply(inputs.get(0))));
    }

    /// Compiles a function of two tensors. Nothing is computed yet.
    ///
    /// @param function the function
    /// @return the compiled function, with memory in the innermost arena
    /// @throws IllegalStateException if no arena is open
    public static CompiledFunction of(BinaryOperator<Tensor> function) {
        return new CompiledFunction(2, inputs -> List.of(function.apply(inputs.get(0), inputs.get(1))));
    }

    /// Compiles a function of any number of tensors, with any number of results. Nothing is computed yet.
    ///
    /// @param function the function
    /// @return the compiled function, with memory in the innermost arena
    /// @throws IllegalStateException if no arena is open
    public static CompiledFunction ofList(Function<List<Tensor>, List<Tensor>> function) {
        return new CompiledFunction(-1, function);
    }

    /// Runs a function of one tensor.
    ///
    /// @param x the input, which must not track gradients
    /// @return the result, the same tensor for inputs of the same shape, overwritten by the next run
    /// @throws IllegalArgumentException if the function takes another number of inputs, or whatever it throws
    /// @throws IllegalStateException as [#run(List)]
    public Tensor run(Tensor x) {
        requireInputs(1);
        begin(1);
        given[0] = x;
        return runGiven().getFirst();
    }

    /// Runs a function of two tensors.
    ///
    /// @param x the first input, which must not track gradients
    /// @param y the second input, likewise
    /// @return the result, the same tensor for inputs of the same shape, overwritten by the next run
    /// @throws IllegalArgumentException if the function takes another number of inputs, or whatever it throws
    /// @throws IllegalStateException as [#run(List)]
    public Tensor run(Tensor x, Tensor y) {
        requireInputs(2);
        begin(2);
        given[0] = x;
        given[1] = y;
        return runGiven().getFirst();
    }

    /// Runs a function of any number of tensors.
    ///
    /// @param inputs the inputs, which must not track gradients
    /// @return the results, the same tensors for inputs of the same shapes, overwritten by the next run
    /// @throws IllegalArgumentException if the function takes another number of inputs, an input tracks
    ///     gradients, or whatever the function throws
    /// @throws IllegalStateException if this is closed, its arena is, it runs already, or it is run inside
    ///     another function that is being recorded, inside a gradient rule or inside `checkpoint`; if memory of
    ///     an input or of a tensor that it uses is freed; if an input overlaps in memory with a tensor that it
    ///     writes; while recording, if the function does something that cannot be replayed
    public List<Tensor> run(List<Tensor> inputs) {
        requireInputs(inputs.size());
        begin(inputs.size());
        for (int i = 0; i < given.length; i++) {
            given[i] = inputs.get(i);
        }
        return runGiven();
    }

    private void requireInputs(int n) {
        if (arity >= 0 && n != arity) {
            throw new IllegalArgumentException("run: the function takes " + arity + " inputs, not " + n);
        }
    }

    private void begin(int n) {
        if (!running.compareAndSet(false, true)) {
            throw new IllegalStateException("run: this compiled function is running already, on another thread or in"
                    + " itself; compile one for each thread");
        }
        if (given.length != n) {
            given = new Tensor[n];
        }
    }

    private List<Tensor> runGiven() {
        try {
            requireRunnable();
            return run(Scope.current());
        } finally {
            for (int i = 0; i < given.length; i++) {
                given[i] = null;
            }
            running.set(false);
        }
    }

    private void requireRunnable() {
        if (closed) {
            throw new IllegalStateException("run: this compiled function is closed");
        }
        Recorder.refuse("run", "of another compiled function cannot be recorded; call the function itself");
        Scope scope = Scope.current();
        if (scope.backward != null || scope.segment != null || scope.draws != null) {
            throw new IllegalStateException(
                    "run: called from a gradient rule or inside checkpoint; call the function" + " itself there");
        }
        if (!scope.predicts()) {
            arena.requireUsable("run");
        }
        for (int i = 0; i < given.length; i++) {
            given[i].requireReadable("run");
            if (given[i].tracksGradient()) {
                throw new IllegalArgumentException(
                        "run: input " + i + " tracks gradients, and a replay has no graph;" + " detach() it");
            }
        }
    }

    private List<Tensor> run(Scope scope) {
        if (scope.predicts()) {
            return function.apply(List.of(given));
        }
        for (int i = 0; i < recordings.size(); i++) {
            Recording recording = recordings.get(i);
            if (recording.fits(given, scope.recording) && recording.holds()) {
                if (recording.isStale()) {
                    recordings.remove(i);
                    recording.free();
                    break;
                }
                if (i > 0) {
                    recordings.add(0, recordings.remove(i));
                }
                return replay(recording, scope);
            }
        }
        return record(scope);
    }

    private List<Tensor> replay(Recording recording, Scope scope) {
        boolean recordedBefore = scope.recording;
        if (scratch == null) {
            scratch = TensorArena.ofDetached();
        }
        scope.recording = false;
        scope.push(scratch);
        try {
            recording.replay(given);
        } finally {
            scope.pop();
            scope.recording = recordedBefore;
            if (scratch.liveBytes() > 0) {
                scratch.close();
                scratch = null;
            }
        }
        return recording.results();
    }

    private List<Tensor> record(Scope scope) {
        FunctionRecordingEvent event = Events.functionRecording();
        Recording recording;
        try (var first = TensorArena.ofConfined()) {
            Recorder recorder = Recorder.begin(scope, first);
            List<Tensor> results;
            try {
                List<Tensor> standIns = new ArrayList<>();
                for (Tensor input : given) {
                    standIns.add(recorder.standIn(input));
                }
                results = function.apply(List.copyOf(standIns));
            } finally {
                recorder.end();
            }
            recording = recorder.finish(given, scope.recording, results, arena);
        }
        recording.bind(given);
        made++;
        if (event != null) {
            ExecutionPlan plan = recording.plan();
            event.write(made, plan.launches().size(), plan.plannedBytes(), plan.lowerBoundBytes());
        }
        keep(recording);
        return recording.results();
    }

    private void keep(Recording recording) {
        recordings.add(0, recording);
        if (recordings.size() > MOST) {
            recordings.removeLast().free();
            if (!warned) {
                warned = true;
                System.getLogger("org.toydiff")
                        .log(
                                System.Logger.Level.WARNING,
                                "a CompiledFunction was recorded {0} times, for more shapes or modes than the {1} that it"
                                        + " keeps; pad batches to a few shapes, or call the function itself",
                                made,
                                MOST);
            }
        }
    }

    /// Returns the plan of the run before: its launches, and the blocks of its temporaries.
    ///
    /// @return the plan, which prints as a table
    /// @throws IllegalStateException if the function has not run yet
    public ExecutionPlan plan() {
        if (recordings.isEmpty()) {
            throw new IllegalStateException("plan: the function has not run yet; call run first");
        }
        return recordings.getFirst().plan();
    }

    /// {@return how often the function was recorded: once for each set of shapes, if they are not more than 8}
    public int recordings() {
        return made;
    }

    /// Runs code that changes state outside of tensors, or decides by their elements: steps of optimizers,
    /// counters, meters. Everywhere else it runs as if called directly. In a function that is being recorded it
    /// runs unrecorded, and again at this place of every replay.
    ///
    /// Nothing that it computes is recorded for backward, and tensors that it makes are freed when it returns. It
    /// may use and change persistent tensors (parameters, their gradients, state) and read their elements, but
    /// not the tensors that the function computes.
    ///
    /// @param name its name in plans
    /// @param action the code
    public static void onEachRun(String name, Runnable action) {
        try (var off = Autograd.noGradient();
                var scratch = TensorArena.ofConfined()) {
            Recorder.repeated(name, action);
        }
    }

    /// Makes a function that is being recorded depend on a number of the caller's: a later run that finds another
    /// one is recorded again. Does nothing else, and nothing elsewhere. For layers with settings that can change:
    /// those of the library do it for their mode.
    ///
    /// @param state returns the number, now and before each replay
    public static void dependOn(LongSupplier state) {
        Recorder recorder = Recorder.current();
        if (recorder != null) {
            recorder.guard(state);
        }
    }

    /// Frees the memory of all recordings, results included. Closing it again does nothing.
    ///
    /// @throws IllegalStateException if it is running
    @Override
    public void close() {
        if (!running.compareAndSet(false, true)) {
            throw new IllegalStateException("close: this compiled function is running");
        }
        try {
            closed = true;
            recordings.forEach(Recording::free);
            recordings.clear();
            if (scratch != null) {
                scratch.close();
                scratch = null;
            }
        } finally {
            running.set(false);
        }
    }

    /// {@return the number of recordings made and kept}
    @Override
    public String toString() {
        return "CompiledFunction(recordings=" + made + ", kept=" + recordings.size() + ")";
    }
}
