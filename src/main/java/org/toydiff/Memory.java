package org.toydiff;

import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.management.InstanceAlreadyExistsException;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.MBeanServerFactory;
import javax.management.ObjectName;
import org.toydiff.internal.JvmOptions;
import org.toydiff.internal.kernels.Kernels;
import org.toydiff.internal.memory.Ledger;

/// The memory that the tensors of this process take outside the heap. Exact and always on.
///
/// Only memory of [TensorArena]s counts, in blocks rounded up to 64 bytes; memory of the caller's
/// ([Tensor#wrap]) does not. `-Dtoydiff.memory.limit=8g` bounds it (default: physical memory less the most that the
/// heap may take); an allocation that would pass it throws [MemoryLimitException].
/// `-Dtoydiff.memory.trace=true` remembers the line that made each block, and keeps the library's class loader until
/// the JVM ends, to report then the arenas that are open; among them may be one that another shutdown hook is about to
/// close.
///
/// From outside, JMX clients see it as [TensorMemoryMXBean]. Flight recordings contain the events
/// `toydiff.SlabAllocation`, `toydiff.MemoryLimit` and, when enabled, `toydiff.ArenaOpen` and `toydiff.ArenaClose`;
/// `toydiff.Backward` records walks backward, unless set otherwise those that take 20 ms or more.
public final class Memory {
    private Memory() {}

    /// The bytes of all tensors in open arenas, those of the JDK included.
    ///
    /// @return live bytes
    public static long liveBytes() {
        return Ledger.live();
    }

    /// The most that [#liveBytes()] has been since the start or [#resetPeak()].
    ///
    /// @return peak bytes
    public static long peakBytes() {
        return Ledger.peak();
    }

    /// The bound of [#liveBytes()]: `-Dtoydiff.memory.limit`, or physical memory less the most that the heap may
    /// take.
    ///
    /// @return the limit in bytes
    /// @throws IllegalArgumentException if a property `toydiff.…` has a bad value
    /// @throws IllegalStateException if the JVM denies native access
    public static long limitBytes() {
        JvmOptions.require();
        return Ledger.limitBytes();
    }

    /// Sets the peak back to the bytes that are live now.
    public static void resetPeak() {
        Ledger.resetPeak();
    }

    /// The totals and every open arena, with the threads that have entered it; with `-Dtoydiff.memory.trace=true` also
    /// each live block, largest first, with the line that made it, and the line that opened each arena;
    /// `-Dtoydiff.memory.check=true` adds the latter for shared and detached arenas.
    ///
    /// @return a table to print
    /// @throws IllegalArgumentException if a property `toydiff.…` has a bad value
    /// @throws IllegalStateException if the JVM denies native access
    public static String report() {
        JvmOptions.require();
        return Ledger.report();
    }

    /// Makes the figures visible to JMX clients once a server for them exists.
    ///
    /// @param number how many arenas were opened, this one included
    static void arenaOpened(long number) {
        if (number % Bean.ARENAS_BETWEEN_CHECKS == 1) {
            Bean.registerOnce();
        }
    }

    /// The figures for JMX.
    private static final class Bean implements TensorMemoryMXBean {
        /// A check takes a lock and makes a list. This is seldom enough to cost nothing, and often enough for one
        /// step of a training.
        static final int ARENAS_BETWEEN_CHECKS = 16;

        private static final String NAME = "org.toydiff:type=Memory";
        private static final AtomicBoolean REGISTERED = new AtomicBoolean();

        /// Registers the bean as soon as there is a server. It never has the server made, which takes longer than
        /// the JVM's start; and nothing notifies it when somebody else does, so it checks now and then. A program
        /// that opens no arenas has nothing new to show either.
        static void registerOnce() {
            if (!REGISTERED.get() && isWatched() && !REGISTERED.getAndSet(true)) {
                register();
            }
        }

        private static boolean isWatched() {
            return !MBeanServerFactory.findMBeanServer(null).isEmpty();
        }

        private static void register() {
            try {
                MBeanServer server = ManagementFactory.getPlatformMBeanServer();
                var bean = new Bean();
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

        /// Distinguishes copies of this library in several class loaders.
        private static String loader() {
            ClassLoader loader = Memory.class.getClassLoader();
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
        public int getKernels() {
            return Kernels.loops();
        }

        @Override
        public int getVectorKernels() {
            return Kernels.vectorLoops();
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
}
