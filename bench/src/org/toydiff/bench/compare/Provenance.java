package org.toydiff.bench.compare;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Describes the machine, the versions and the command that results come from.
final class Provenance {
    private Provenance() {}

    /// Returns facts by name, in display order.
    static Map<String, String> describe(Peers peers, String command) throws IOException {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("Processor", processor());
        facts.put("Cores", Integer.toString(Runtime.getRuntime().availableProcessors()));
        facts.put("Memory", memory());
        facts.put("System", System.getProperty("os.name"));
        facts.put("JDK", System.getProperty("java.vendor.version") + ", " + System.getProperty("java.vm.version"));
        facts.put("OpenBLAS", version(peers.toydiff()));
        if (peers.onMkl().isPresent()) {
            facts.put("oneMKL", version(peers.onMkl().get()));
        }
        peers.versions().forEach(facts::putIfAbsent);
        facts.remove(Peers.TOYDIFF);
        facts.remove(Peers.C);
        peers.skipped().keySet().forEach(name -> facts.put(name, "skipped"));
        facts.put("Commit", commit());
        facts.put("Date", LocalDate.now(ZoneOffset.UTC).toString());
        facts.put("Load average at the start", load());
        facts.put("Command", command);
        return facts;
    }

    private static String version(PeerProcess toydiff) throws IOException {
        return toydiff.ask("blas").get("version").getAsString();
    }

    private static String processor() throws IOException {
        Path info = Path.of("/proc/cpuinfo");
        if (!Files.exists(info)) {
            return System.getProperty("os.arch");
        }
        return Files.readAllLines(info).stream()
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse(System.getProperty("os.arch"));
    }

    private static String memory() {
        var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return Math.round(system.getTotalMemorySize() / 0x1p30) + " GiB";
    }

    /// Returns the load average of the last minute, which hints at whether the machine was idle.
    private static String load() {
        double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
        return load < 0 ? "unknown" : String.format(Locale.ROOT, "%.2f", load);
    }

    private static String commit() {
        try {
            String commit = CommandLines.output(List.of("git", "rev-parse", "--short", "HEAD"));
            String changes = CommandLines.output(List.of(
                    "git",
                    "status",
                    "--porcelain",
                    "--",
                    "src",
                    "jextract",
                    "native",
                    "bench/src",
                    "bench/peers",
                    "bench/pom.xml",
                    "pom.xml"));
            return commit + (changes.isEmpty() ? "" : " with changes");
        } catch (IOException e) {
            return "unknown";
        }
    }
}
