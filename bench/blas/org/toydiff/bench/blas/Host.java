package org.toydiff.bench.blas;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// Describes the machine and its state.
final class Host {
    /// More than the second-level TLB covers with pages of 4 KiB.
    private static final double MANY_PAGES_BYTES = 32 << 20;

    private static final Path HUGE_PAGES = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");

    private Host() {}

    /// Returns facts by name, in display order.
    static Map<String, String> describe(String command) throws IOException {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("Processor", processor());
        facts.put("Cores", Integer.toString(cores()));
        facts.put("Memory", Math.round(system().getTotalMemorySize() / 0x1p30) + " GiB");
        facts.put("System", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        facts.put("JDK", System.getProperty("java.vendor.version") + ", " + System.getProperty("java.vm.version"));
        facts.put("Transparent huge pages", hugePages());
        facts.put("Load average at the start", load() < 0 ? "unknown" : String.format(Locale.ROOT, "%.2f", load()));
        facts.put("Date", LocalDate.now(ZoneOffset.UTC).toString());
        facts.put("Command", command);
        return facts;
    }

    static int cores() {
        return Runtime.getRuntime().availableProcessors();
    }

    /// Returns the bytes that can be allocated before the machine must swap.
    static double availableBytes() throws IOException {
        double total = system().getTotalMemorySize();
        return firstLine(Path.of("/proc/meminfo"), line -> line.startsWith("MemAvailable"))
                .map(line -> Math.min(total, Double.parseDouble(line.replaceAll("\\D", "")) * 1024))
                .findFirst()
                .orElse(total);
    }

    /// Adds notes on conditions that distort the results.
    static void warn(MeasurementPlan plan, BlasReport report) throws IOException {
        for (Library library : report.libraries()) {
            KernelChoice.warning(library, instructionSets()).ifPresent(report::note);
        }
        if (load() > 0.25 * cores()) {
            report.note(String.format(
                    Locale.ROOT,
                    "The load average was %.2f at the start: other programs compete for the cores, and times are too long.",
                    load()));
        }
        double largest =
                plan.problems().stream().mapToDouble(Problem::memoryBytes).max().orElse(0);
        String pages = hugePages();
        if (largest > MANY_PAGES_BYTES && !pages.equals("always") && !pages.equals("unknown")) {
            report.note("Transparent huge pages are set to " + pages
                    + ": the largest operands lie on pages of 4 KiB, and TLB misses cost time.");
        }
    }

    /// Returns the instruction sets of the processor, which only Linux writes to a file.
    static Set<String> instructionSets() throws IOException {
        return firstLine(Path.of("/proc/cpuinfo"), line -> line.startsWith("flags"))
                .map(line ->
                        Set.of(line.substring(line.indexOf(':') + 1).strip().split(" ")))
                .findFirst()
                .orElse(Set.of());
    }

    private static OperatingSystemMXBean system() {
        return (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    }

    /// Returns the load average of the last minute; negative if unknown.
    private static double load() {
        return system().getSystemLoadAverage();
    }

    private static String processor() throws IOException {
        return firstLine(Path.of("/proc/cpuinfo"), line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse(System.getProperty("os.arch"));
    }

    /// Returns the state in brackets, as in `always [madvise] never`.
    private static String hugePages() throws IOException {
        return firstLine(HUGE_PAGES, line -> line.contains("["))
                .map(line -> line.substring(line.indexOf('[') + 1, line.indexOf(']')))
                .findFirst()
                .orElse("unknown");
    }

    private static Stream<String> firstLine(Path file, Predicate<String> wanted) throws IOException {
        return Files.isReadable(file)
                ? Files.readAllLines(file).stream().filter(wanted).limit(1)
                : Stream.empty();
    }
}
