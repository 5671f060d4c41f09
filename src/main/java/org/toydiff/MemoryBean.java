package org.toydiff;

import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.management.InstanceAlreadyExistsException;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.MBeanServerFactory;
import javax.management.ObjectName;

/// Memory's figures for JMX.
final class MemoryBean implements TensorMemoryMXBean {
    private static final String NAME = "org.toydiff:type=Memory";

    /// A look takes a lock and makes a list: seldom enough to cost nothing, often enough for one step of a training.
    private static final int ARENAS_BETWEEN_LOOKS = 16;

    private static final AtomicBoolean REGISTERED = new AtomicBoolean();

    private MemoryBean() {}

    /// Registers it once it can be seen, at the opening of the arena of that number, from 1 on. It never has the server
    /// made, which takes longer than the JVM's start; and nothing tells when somebody else does, so this looks now and
    /// then. A program that opens no arenas has nothing new to show either.
    static void arenaOpened(long number) {
        if (number % ARENAS_BETWEEN_LOOKS == 1 && !REGISTERED.get() && isWatched() && !REGISTERED.getAndSet(true)) {
            register();
        }
    }

    private static boolean isWatched() {
        return !MBeanServerFactory.findMBeanServer(null).isEmpty();
    }

    private static void register() {
        try {
            MBeanServer server = ManagementFactory.getPlatformMBeanServer();
            var bean = new MemoryBean();
            try {
                server.registerMBean(bean, new ObjectName(NAME));
            } catch (InstanceAlreadyExistsException e) {
                server.registerMBean(bean, new ObjectName(NAME + ",loader=" + ObjectName.quote(loader())));
            }
        } catch (JMException | RuntimeException e) {
            // Tensors do not depend on being watched.
            System.getLogger("org.toydiff").log(System.Logger.Level.WARNING, NAME + " was not registered", e);
        }
    }

    /// Tells copies of this library in several class loaders apart.
    private static String loader() {
        ClassLoader loader = MemoryBean.class.getClassLoader();
        return loader.getClass().getName() + "@" + Integer.toHexString(System.identityHashCode(loader));
    }

    @Override
    public long getLiveBytes() {
        return Ledger.live();
    }

    @Override
    public long getPeakBytes() {
        return Ledger.peak();
    }

    @Override
    public long getLimitBytes() {
        return Ledger.limitBytes();
    }

    @Override
    public long getSlabBytes() {
        return Ledger.slabBytes();
    }

    @Override
    public long getSlabsMade() {
        return Ledger.slabsMade();
    }

    @Override
    public int getOpenArenas() {
        return Ledger.openArenas();
    }

    @Override
    public void resetPeak() {
        Ledger.resetPeak();
    }

    @Override
    public String report() {
        return Ledger.report();
    }
}
