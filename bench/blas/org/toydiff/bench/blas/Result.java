package org.toydiff.bench.blas;

import java.util.List;
import java.util.Objects;

/// The measurements of one problem with one library on one number of threads; times in microseconds.
///
/// @param status the outcome of the library's call; only OK has times
/// @param detail the reason for missing times, another remark, or null
/// @param own times of the library's own threading, or null
/// @param c times of the same calls from C, or null
/// @param pool times of toydiff's threads over the library confined to one, or null for routines they do not share
/// @param poolOnOne those on one of toydiff's threads in the same run, or null
/// @param roofPercent the percentage of the roof that the library's own threading reaches, or NaN
record Result(
        Problem problem,
        Library library,
        int threads,
        Status status,
        String detail,
        Statistics own,
        Statistics c,
        Statistics pool,
        Statistics poolOnOne,
        double roofPercent) {
    /// The outcome of a call.
    enum Status {
        OK,
        LACKING,
        WRONG,
        CRASHED,
        FAILED;

        /// Returns the word that is shown in place of a time.
        String word() {
            return switch (this) {
                case OK -> "ok";
                case LACKING -> "n/a";
                case WRONG -> "wrong";
                case CRASHED -> "crashed";
                case FAILED -> "failed";
            };
        }
    }

    double gflops() {
        return gflops(own);
    }

    double gflops(Statistics times) {
        return problem.flops() / times.median() / 1e3;
    }

    double gbs() {
        return gbs(own);
    }

    double gbs(Statistics times) {
        return problem.trafficBytes() / times.median() / 1e3;
    }

    boolean hasTimes() {
        return own != null;
    }

    /// Returns whether the library lacks the routine.
    boolean isLacking() {
        return status == Status.LACKING;
    }

    /// Returns whether toydiff's pool is slower on several threads than on one, beyond the noise: in more than half of
    /// the samples slower than in nine tenths of those on one.
    boolean isSlowerInPool() {
        return threads > 1 && pool != null && poolOnOne != null && pool.median() > poolOnOne.p90();
    }

    /// Returns this result with the times on one of toydiff's threads, found among the results of the same problem.
    Result comparedWithOne(List<Result> results) {
        Statistics onOne = results.stream()
                .filter(other -> other.threads == 1 && other.library.equals(library))
                .map(Result::pool)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
        return new Result(problem, library, threads, status, detail, own, c, pool, onOne, roofPercent);
    }

    /// Returns the C median over the JVM's; NaN unless both were measured.
    double ratio() {
        return own == null || c == null ? Double.NaN : c.median() / own.median();
    }

    /// Returns the extra time of a call over the same call from C, in nanoseconds; NaN unless both were measured.
    double overheadNanos() {
        return own == null || c == null ? Double.NaN : (own.median() - c.median()) * 1e3;
    }
}
