package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.management.JMX;
import javax.management.MBeanServer;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXConnectorServerFactory;
import javax.management.remote.JMXServiceURL;
import org.junit.jupiter.api.Test;
import org.toydiff.child.Child;
import org.toydiff.child.Watched;
import org.toydiff.internal.kernels.Kernels;
import org.toydiff.internal.memory.Ledger;

/// The memory's figures as JMX clients see them, and that they see them without the program's doing.
class MemoryBeanTest {
    private final MBeanServer server = ManagementFactory.getPlatformMBeanServer();

    private static ObjectName name() throws Exception {
        return new ObjectName("org.toydiff:type=Memory");
    }

    /// The bean, once it is there; a minute later its use fails. `program` is what the process does meanwhile.
    private static TensorMemoryMXBean bean(MBeanServerConnection connection, Runnable program) throws Exception {
        for (int i = 0; i < 6000 && !connection.isRegistered(name()); i++) {
            program.run();
            Thread.sleep(10);
        }
        return JMX.newMXBeanProxy(connection, name(), TensorMemoryMXBean.class);
    }

    private static void work() {
        TensorArena.ofConfined().close();
    }

    /// Lets the child open an arena.
    private static void step(Process child) {
        try {
            child.getOutputStream().write('\n');
            child.getOutputStream().flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void itGivesTheFiguresOfMemory() throws Exception {
        long live = Memory.liveBytes();
        TensorMemoryMXBean bean = bean(server, MemoryBeanTest::work);
        int open = bean.getOpenArenas();
        try (var model = TensorArena.ofDetached();
                var outer = TensorArena.ofShared();
                var arena = TensorArena.ofConfined()) {
            bean.resetPeak();
            try (var inner = TensorArena.ofConfined()) {
                Tensor.zeros(1000);
                assertEquals(open + 4, bean.getOpenArenas());
            }
            Tensor.zeros(16);
            assertEquals(open + 3, bean.getOpenArenas());
            assertEquals(live + 64, bean.getLiveBytes());
            assertEquals(live + 4032, bean.getPeakBytes());
            bean.resetPeak();
            assertEquals(live + 64, bean.getPeakBytes());
            assertEquals(Memory.report(), bean.report());
        }
        assertEquals(Memory.limitBytes(), bean.getLimitBytes());
        assertEquals(Ledger.slabsMade(), bean.getSlabsMade());
        assertTrue(bean.getSlabBytes() >= 64L << 20);
        assertEquals(Kernels.loops(), bean.getKernels());
        assertTrue(bean.getVectorKernels() <= bean.getKernels());
        assertEquals(
                List.of(
                        "Kernels",
                        "LimitBytes",
                        "LiveBytes",
                        "OpenArenas",
                        "PeakBytes",
                        "SlabBytes",
                        "SlabsMade",
                        "VectorKernels"),
                Arrays.stream(server.getMBeanInfo(name()).getAttributes())
                        .map(attribute -> attribute.getName())
                        .sorted()
                        .toList());
    }

    @Test
    void aRemoteClientReadsIt() throws Exception {
        var connector = JMXConnectorServerFactory.newJMXConnectorServer(
                new JMXServiceURL("service:jmx:rmi://localhost"), null, server);
        connector.start();
        try (var client = JMXConnectorFactory.connect(connector.getAddress());
                var arena = TensorArena.ofConfined()) {
            long live = Memory.liveBytes();
            Tensor.zeros(100);
            assertEquals(
                    live + 448,
                    bean(client.getMBeanServerConnection(), MemoryBeanTest::work)
                            .getLiveBytes());
        } finally {
            connector.stop();
        }
    }

    @Test
    void aServerThatIsThereBeforeTheFirstTensorHasIt() throws Exception {
        Child child = Child.run(List.of("-cp", Child.classPath(), Watched.class.getName(), "server"));
        assertEquals(0, child.exit(), child.err());
        assertEquals("1024", child.out().lines().toList().getLast());
    }

    @Test
    void nothingRunsToWatchForAServer() throws Exception {
        Child child = Child.run(List.of("-cp", Child.classPath(), Watched.class.getName(), "threads"));
        assertEquals(0, child.exit(), child.err());
        assertEquals("threads of toydiff: []", child.out().lines().toList().getLast());
    }

    @Test
    void aToolThatAttachesFindsIt() throws Exception {
        assertEquals("class path", attached("-cp", Child.classPath()));
    }

    @Test
    void aToolThatAttachesFindsItInTheModuleToo() throws Exception {
        String others = Child.classPathWithoutLibrary();
        assertEquals("module", attached("-p", Child.LIBRARY, "--add-modules", "org.toydiff", "-cp", others));
    }

    /// What a child JVM says first, its bean having been read.
    private static String attached(String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(options));
        arguments.addAll(List.of(Watched.class.getName(), "wait"));
        Process child = Child.java(arguments)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (BufferedReader out = child.inputReader()) {
            String said = out.readLine();
            assertTrue(said.endsWith("MBean servers 0"), said);
            try (var client = JMXConnectorFactory.connect(new JMXServiceURL(agent(child.pid())))) {
                TensorMemoryMXBean bean = bean(client.getMBeanServerConnection(), () -> step(child));
                assertEquals(1, bean.getOpenArenas());
                assertEquals(1024, bean.getLiveBytes());
                assertFalse(bean.report().isEmpty());
            }
            return said.substring(0, said.indexOf(','));
        } finally {
            child.getOutputStream().close();
            assertEquals(0, child.waitFor());
        }
    }

    /// The address of the agent that a process starts when a tool attaches to it. By reflection, because tests are
    /// compiled as a part of the library's module, which does not read jdk.attach.
    private static String agent(long pid) throws Exception {
        Class<?> type = Class.forName("com.sun.tools.attach.VirtualMachine");
        Object machine = type.getMethod("attach", String.class).invoke(null, Long.toString(pid));
        String address = (String) type.getMethod("startLocalManagementAgent").invoke(machine);
        type.getMethod("detach").invoke(machine);
        return address;
    }
}
