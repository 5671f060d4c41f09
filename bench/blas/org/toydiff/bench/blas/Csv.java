package org.toydiff.bench.blas;

import java.io.IOException;
import java.io.Writer;
import java.util.Locale;

/// Writes results as comma-separated values (RFC 4180), with `n/a` for unknown values. Times of toydiff's pool are
/// separate rows, whose library ends in `+pool`. The last column has the reason for missing times, or another remark,
/// and marks rows of the pool that are slower on several threads than on one. Each row is written as its result
/// comes, so that a run that ends early leaves whole rows.
final class Csv implements AutoCloseable {
    private static final String HEADER =
            "routine,variant,dtype,m,n,k,library,threads,median_us,p10_us,p90_us,gflops,gbs,"
                    + "roof_percent,c_median_us,jvm_c_ratio,remark";

    private static final int MEASURED = 8;

    private final Writer writer;

    /// Writes the line of names.
    Csv(Writer writer) throws IOException {
        this.writer = writer;
        write(HEADER);
    }

    void add(Result result) throws IOException {
        String remark = result.detail() == null ? "" : result.detail();
        write(line(result, result.library().name(), result.own(), result.c()) + "," + quoted(remark));
        if (result.pool() != null) {
            String slower = result.isSlowerInPool() ? "slower than on one thread" : "";
            write(line(result, result.library().name() + "+pool", result.pool(), null) + "," + slower);
        }
    }

    private void write(String line) throws IOException {
        writer.write(line + "\r\n");
        writer.flush();
    }

    @Override
    public void close() throws IOException {
        writer.close();
    }

    private static String line(Result result, String library, Statistics times, Statistics c) {
        Problem p = result.problem();
        String call = String.join(
                ",",
                p.routine().word(),
                p.variantAndBatch(),
                p.dtype(),
                Integer.toString(p.m()),
                Integer.toString(p.n()),
                Integer.toString(p.k()),
                quoted(library),
                Integer.toString(result.threads()));
        if (times == null) {
            return call + ",n/a".repeat(MEASURED);
        }
        String ratio = c == null ? "n/a,n/a" : number(c.median()) + "," + number(c.median() / times.median());
        return String.join(
                ",",
                call,
                number(times.median()),
                number(times.p10()),
                number(times.p90()),
                number(result.gflops(times)),
                number(result.gbs(times)),
                number(result.roofPercent() * result.own().median() / times.median()),
                ratio);
    }

    private static String number(double value) {
        return Double.isNaN(value) ? "n/a" : String.format(Locale.ROOT, "%.6g", value);
    }

    private static String quoted(String text) {
        return text.matches("[^\",\r\n]*") ? text : '"' + text.replace("\"", "\"\"") + '"';
    }
}
