package org.toydiff.child;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import javax.management.MBeanServerFactory;
import javax.management.ObjectName;
import org.toydiff.Release;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// A JVM to be observed: computes a gradient and prints which services of the JVM that has started. With `wait` it
/// keeps an arena open until its input ends, and opens an arena inside for each byte of the input.
public final class Watched {
    private Watched() {}

    /// Prints one or two lines.
    ///
    /// @param arguments `server` to make the platform's MBean server first, `threads` to list the library's, `wait` to
    ///     wait
    public static void main(String[] arguments) throws Exception {
        var mode = arguments.length == 0 ? "" : arguments[0];
        if (mode.equals("server")) {
            ManagementFactory.getPlatformMBeanServer();
        }
        try (var arena = TensorArena.ofConfined()) {
            Tensor x = Tensor.ones(100).trackGradient();
            x.exp().sum().backward(Release.EAGER);
            System.out.println(String.join(
                    ", ",
                    TensorArena.class.getModule().isNamed() ? "module" : "class path",
                    "Flight Recorder "
                            + ModuleLayer.boot().findModule("jdk.jfr").isPresent(),
                    "MBean servers " + MBeanServerFactory.findMBeanServer(null).size()));
            if (mode.equals("server")) {
                var name = new ObjectName("org.toydiff:type=Memory");
                System.out.println(ManagementFactory.getPlatformMBeanServer().getAttribute(name, "LiveBytes"));
            }
            if (mode.equals("threads")) {
                System.out.println("threads of toydiff: "
                        + Thread.getAllStackTraces().keySet().stream()
                                .map(Thread::getName)
                                .filter(name -> name.startsWith("toydiff"))
                                .toList());
            }
            if (mode.equals("wait")) {
                waitForEnd();
            }
        }
    }

    private static void waitForEnd() throws IOException {
        while (System.in.read() >= 0) {
            TensorArena.ofConfined().close();
        }
    }
}
