package org.toydiff.train.report;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.toydiff.Blas;
import org.toydiff.Memory;

/// Facts about the machine and the JVM of this process.
final class MachineFacts {
    private MachineFacts() {}

    static Map<String, String> facts() {
        Map<String, String> facts = new LinkedHashMap<>();
        var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        facts.put(
                "Machine",
                Runtime.getRuntime().availableProcessors() + " processors, "
                        + NumberText.bytes(system.getTotalMemorySize()) + ", " + system.getName() + " "
                        + system.getVersion() + " " + system.getArch());
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

    private static String blas() {
        try {
            return Blas.version() + ", kernels for " + Blas.core();
        } catch (UnsatisfiedLinkError e) {
            return "none";
        }
    }
}
