package org.toydiff.bench.blas;

/// What was measured of a problem with a library and a number of threads; times in microseconds.
///
/// @param status what became of the library's call; without OK there are no times
/// @param detail why there are no times, or null
/// @param own the library's own threading; null without times
/// @param c the same from C; null without a compiler
/// @param pool toydiff's threads over the library confined to one; null for what these do not share
/// @param roofPercent of the library's own threading
record Result(
        Problem problem,
        Library library,
        int threads,
        Status status,
        String detail,
        Statistics own,
        Statistics c,
        Statistics pool,
        double roofPercent) {
    /// What can become of a call.
    enum Status {
        OK,
        LACKING,
        WRONG,
        CRASHED,
        FAILED;

        /// What stands in the place of a time.
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

    /// The C median over the JVM's; NaN without both.
    double ratio() {
        return own == null || c == null ? Double.NaN : c.median() / own.median();
    }

    /// What a call takes more than from C, in nanoseconds.
    double overheadNanos() {
        return own == null || c == null ? Double.NaN : (own.median() - c.median()) * 1e3;
    }
}
