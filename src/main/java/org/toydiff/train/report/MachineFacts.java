package org.toydiff.train.report;

import com.google.gson.JsonObject;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.toydiff.Blas;
import org.toydiff.Memory;
import org.toydiff.Tensor;

/// Facts about the machine and the JVM of this process.
final class MachineFacts {
    private static final Path CPUINFO = Path.of("/proc/cpuinfo");

    private MachineFacts() {}

    /// Returns facts of the caller, followed by those about the machine with other names.
    static JsonObject json(Map<String, String> own) {
        Map<String, String> all = new LinkedHashMap<>(own);
        facts().forEach(all::putIfAbsent);
        var json = new JsonObject();
        all.forEach(json::addProperty);
        return json;
    }

    private static Map<String, String> facts() {
        Map<String, String> facts = new LinkedHashMap<>();
        Tensor.initialSeed().ifPresent(seed -> facts.put("Seed", Long.toString(seed)));
        facts.put("toydiff", version());
        var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        facts.put(
                "Machine",
                Runtime.getRuntime().availableProcessors() + " processors, "
                        + NumberText.bytes(system.getTotalMemorySize()) + ", " + system.getName() + " "
                        + system.getVersion() + " " + system.getArch());
        processor().ifPresent(name -> facts.put("Processor", name));
        facts.put("JVM", System.getProperty("java.vm.name") + " " + Runtime.version());
        facts.put(
                "Heap",
                "at most " + NumberText.bytes(Runtime.getRuntime().maxMemory()) + ", "
                        + ManagementFactory.getGarbageCollectorMXBeans().stream()
                                .map(GarbageCollectorMXBean::getName)
                                .collect(Collectors.joining(", ")));
        facts.put("Off-heap limit", NumberText.bytes(Memory.limitBytes()));
        facts.put("BLAS", blas());
        facts.put("Threads", Integer.toString(Blas.threads()));
        return facts;
    }

    /// Returns the version in the properties that Maven puts into the jar.
    private static String version() {
        try (InputStream stream =
                MachineFacts.class.getResourceAsStream("/META-INF/maven/org.toydiff/toydiff/pom.properties")) {
            if (stream != null) {
                var properties = new Properties();
                properties.load(stream);
                return properties.getProperty("version");
            }
        } catch (IOException e) {
            // A fact that cannot be read is not worth an exception.
        }
        return "unknown, not in a jar";
    }

    /// Returns the model of the processor, which only Linux writes to a file.
    private static Optional<String> processor() {
        try (Stream<String> lines = Files.lines(CPUINFO)) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst();
        } catch (IOException | UncheckedIOException e) {
            return Optional.empty();
        }
    }

    private static String blas() {
        try {
            return Blas.version() + ", kernels for " + Blas.core();
        } catch (UnsatisfiedLinkError e) {
            return "none";
        }
    }
}
