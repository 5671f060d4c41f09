package org.toydiff.bench.blas;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The report as one JSON object, without unknown values.
final class Json {
    /// Escapes strings, so that the object can be embedded in a page.
    private static final Gson GSON =
            new GsonBuilder().setPrettyPrinting().disableJdkUnsafe().create();

    private Json() {}

    static String of(BlasReport report) {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("machine", report.machine);
        all.put("libraries", report.libraries());
        all.put("roofs", report.roofs());
        all.put("call_overhead", report.smallest().stream().map(Json::overhead).toList());
        all.put("notes", report.notes());
        all.put("results", results(report));
        return GSON.toJson(all) + "\n";
    }

    private static Map<String, Object> overhead(Result result) {
        Map<String, Object> one = new LinkedHashMap<>();
        one.put("routine", result.problem().routine().word());
        one.put("library", result.library().name());
        if (result.hasTimes()) {
            one.put("jvm_ns", result.own().median() * 1e3);
        }
        if (result.c() != null) {
            one.put("c_ns", result.c().median() * 1e3);
            one.put("overhead_ns", result.overheadNanos());
        }
        return one;
    }

    private static List<Map<String, Object>> results(BlasReport report) {
        List<Map<String, Object>> all = new ArrayList<>();
        for (Result result : report.results()) {
            all.add(result(result));
        }
        return all;
    }

    private static Map<String, Object> result(Result result) {
        Problem p = result.problem();
        Map<String, Object> one = new LinkedHashMap<>();
        one.put("routine", p.routine().word());
        one.put("variant", p.variant());
        one.put("dtype", p.dtype());
        one.put("m", p.m());
        one.put("n", p.n());
        one.put("k", p.k());
        one.put("batch", p.batch());
        one.put("library", result.library().name());
        one.put("threads", result.threads());
        one.put("status", result.status().word());
        one.put("detail", result.detail());
        if (result.isLacking()) {
            one.put("lacks", p.symbol());
        }
        one.put("edge", p.edge());
        one.put("intensity", p.intensity());
        if (result.hasTimes()) {
            one.put("own", times(result, result.own()));
        }
        if (!Double.isNaN(result.roofPercent())) {
            one.put("roof_percent", result.roofPercent());
        }
        if (result.c() != null) {
            one.put("c", times(result, result.c()));
            one.put("jvm_c_ratio", result.ratio());
        }
        if (result.pool() != null) {
            one.put("pool", times(result, result.pool()));
            one.put("pool_slower_than_one_thread", result.isSlowerInPool());
        }
        return one;
    }

    private static Map<String, Object> times(Result result, Statistics times) {
        Map<String, Object> one = new LinkedHashMap<>();
        one.put("median_us", times.median());
        one.put("p10_us", times.p10());
        one.put("p90_us", times.p90());
        one.put("samples", times.count());
        one.put("gflops", result.gflops(times));
        one.put("gbs", result.gbs(times));
        return one;
    }
}
