package org.toydiff.bench.blas;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/// One library on one number of threads: called from the JVM, from C, and by toydiff's pool.
final class Lane implements AutoCloseable {
    /// The pause in which a pool of threads stops spinning after its last work, before the next child's turn.
    private static final long PAUSE_MILLIS = 30;

    private final Library library;
    private final int threads;
    private final ComparedChild own;
    private final ComparedChild c;
    private final ComparedChild pool;

    private Problem problem;
    private Result.Status status;
    private String detail;
    private boolean hasC;
    private boolean hasPool;

    /// @param program the C program, or empty
    Lane(Library library, int threads, Optional<Path> program) {
        this.library = library;
        this.threads = threads;
        own = java(library.asked(), Child.Threading.OWN, threads);
        pool = java(library.asked(), Child.Threading.POOL, threads);
        c = program.map(path -> new ComparedChild(
                        List.of(path.toString(), library.path(), Integer.toString(threads)),
                        ChildCommands.environment(threads),
                        threads))
                .orElse(null);
    }

    /// Returns a child JVM that loads a library.
    static ComparedChild java(String library, Child.Threading threading, int threads) {
        boolean confined = threading == Child.Threading.POOL;
        return new ComparedChild(
                ChildCommands.java(
                        Child.class, library, threading.name().toLowerCase(Locale.ROOT), Integer.toString(threads)),
                ChildCommands.environment(confined ? 1 : threads),
                threads);
    }

    /// Opens a problem in every child: each allocates operands, checks one result and calls until times settle.
    ///
    /// @param inPool whether toydiff's pool computes it too, if it is a product
    void open(Problem next, boolean inPool) throws IOException {
        problem = next;
        status = Result.Status.OK;
        detail = null;
        hasC = false;
        hasPool = false;
        try {
            if (take(own.ask(next.request()))) {
                own.warmUp();
            }
        } catch (Worker.Lost e) {
            fail(Result.Status.CRASHED, e.getMessage());
        } catch (IOException e) {
            fail(Result.Status.FAILED, e.getMessage());
        }
        pause();
        if (status == Result.Status.OK) {
            hasC = c != null && opens(c, "from C");
            hasPool = inPool && next.routine().isProduct() && opens(pool, "by toydiff's pool");
        }
    }

    /// Returns whether the library can be timed, and records the reason if not.
    private boolean take(JsonObject answer) {
        if (answer.has("lacks")) {
            fail(
                    Result.Status.LACKING,
                    "the library has no " + answer.get("lacks").getAsString());
        } else if (answer.has("wrong")) {
            fail(Result.Status.WRONG, answer.get("wrong").getAsString());
        } else if (answer.has("error")) {
            fail(Result.Status.FAILED, answer.get("error").getAsString());
        }
        return status == Result.Status.OK;
    }

    private void fail(Result.Status failure, String reason) {
        status = failure;
        detail = reason;
    }

    private boolean opens(ComparedChild child, String how) {
        try {
            JsonObject answer = child.ask(problem.request());
            if (answer.isEmpty()) {
                child.warmUp();
                pause();
                return true;
            }
            detail = how + ": " + answer;
        } catch (IOException e) {
            detail = how + ": " + e.getMessage();
        }
        return false;
    }

    /// Takes a turn of samples in each child that is not done.
    ///
    /// @return whether any child took one
    boolean takeTurns() throws IOException {
        boolean any = false;
        for (ComparedChild child : children()) {
            if (!child.isDone()) {
                try {
                    child.takeTurn();
                    any = true;
                    pause();
                } catch (Worker.Lost e) {
                    lose(child, e);
                }
            }
        }
        return any;
    }

    private void pause() throws IOException {
        if (threads > 1) {
            try {
                Thread.sleep(PAUSE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            }
        }
    }

    private List<ComparedChild> children() {
        List<ComparedChild> all = new ArrayList<>();
        if (status == Result.Status.OK) {
            all.add(own);
            if (hasC) {
                all.add(c);
            }
            if (hasPool) {
                all.add(pool);
            }
        }
        return all;
    }

    private void lose(ComparedChild child, Worker.Lost e) {
        detail = e.getMessage();
        if (child == own) {
            status = Result.Status.CRASHED;
        } else if (child == c) {
            hasC = false;
        } else {
            hasPool = false;
        }
    }

    /// Frees the operands and returns the result.
    Result finish(BlasReport report) throws IOException {
        if (status == Result.Status.OK) {
            requireOrdinaryNumbers(own.ask("close"));
        }
        free(c, hasC);
        free(pool, hasPool);
        boolean measured = status == Result.Status.OK;
        Statistics times = measured ? own.statistics() : null;
        if (detail != null && status != Result.Status.LACKING) {
            report.note(label() + ", " + problem + ": " + detail);
        }
        return new Result(
                problem,
                library,
                threads,
                status,
                detail,
                times,
                measured && hasC ? c.statistics() : null,
                measured && hasPool ? pool.statistics() : null,
                null,
                measured ? report.roof(threads).percent(problem, times.median()) : Double.NaN);
    }

    private static void free(ComparedChild child, boolean isOpen) throws IOException {
        if (isOpen) {
            child.ask("close");
        }
    }

    private void requireOrdinaryNumbers(JsonObject answer) {
        if (answer.get("not_finite").getAsLong() > 0) {
            fail(Result.Status.WRONG, answer.get("not_finite") + " elements are NaN or infinite after many calls");
        } else if (answer.get("denormal").getAsLong() > 0) {
            detail = answer.get("denormal") + " elements became denormal, which makes arithmetic slow";
        }
    }

    boolean isOn(int count) {
        return threads == count;
    }

    private String label() {
        return library.name() + " on " + threads + (threads == 1 ? " thread" : " threads");
    }

    @Override
    public void close() {
        for (ComparedChild child : Arrays.asList(own, c, pool)) {
            if (Objects.nonNull(child)) {
                child.close();
            }
        }
    }
}
