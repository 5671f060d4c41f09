package org.toydiff;

import java.lang.management.ManagementFactory;
import javax.management.InstanceAlreadyExistsException;
import javax.management.JMException;
import javax.management.MBeanServerFactory;
import javax.management.ObjectName;

/// Memory's figures for JMX.
final class MemoryBean implements TensorMemoryMXBean {
    private static final String NAME = "org.toydiff:type=Memory";

    private MemoryBean() {}

    /// Registers it where it can be seen, and as soon as it can: it never has the server made, which takes longer
    /// than the JVM's start. Nothing tells when somebody else does, so a thread looks every second, for
    /// microseconds, until then.
    static void registerOnceWatched() {
        if (isWatched()) {
            register();
        } else {
            Thread.ofPlatform().daemon().name("toydiff-memory-bean").start(MemoryBean::awaitServer);
        }
    }

    private static void awaitServer() {
        try {
            while (!isWatched()) {
                Thread.sleep(1000);
            }
            register();
        } catch (InterruptedException e) {
            // Whoever ends threads that are not his ends this one too.
        }
    }

    private static boolean isWatched() {
        return !MBeanServerFactory.findMBeanServer(null).isEmpty();
    }

    private static void register() {
        try {
            ManagementFactory.getPlatformMBeanServer().registerMBean(new MemoryBean(), new ObjectName(NAME));
        } catch (InstanceAlreadyExistsException e) {
            // That of a copy of this library in another class loader.
        } catch (JMException | RuntimeException e) {
            // Tensors do not depend on being watched.
            System.getLogger("org.toydiff").log(System.Logger.Level.WARNING, NAME + " was not registered", e);
        }
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
