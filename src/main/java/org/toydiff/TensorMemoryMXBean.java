package org.toydiff;

/// The figures of [Memory] and of the pool for JMX clients, under the name `org.toydiff:type=Memory`.
///
/// The bean is registered with the platform's MBean server when the first arena is opened, or, when that server is
/// made later, as by a tool that attaches (JDK Mission Control, VisualVM), at one of the next 16 openings of an
/// arena. The library never makes the server and keeps no thread to watch for it.
///
/// Copies of the library in other class loaders are registered as `org.toydiff:type=Memory,loader=…`. The server
/// holds the class loader of a bean: to drop a class loader, unregister `org.toydiff:type=Memory,*` as with every
/// bean.
public interface TensorMemoryMXBean {
    /// As [Memory#liveBytes()].
    ///
    /// @return bytes that all open arenas hold now
    long getLiveBytes();

    /// As [Memory#peakBytes()].
    ///
    /// @return the most that the live bytes have been since the start or [#resetPeak()]
    long getPeakBytes();

    /// As [Memory#limitBytes()].
    ///
    /// @return the limit of the live bytes
    long getLimitBytes();

    /// The address space that the pool holds from the operating system, in use or not. Only pages that were written
    /// are resident.
    ///
    /// @return bytes of all slabs
    long getSlabBytes();

    /// How often the pool has grown; constant in the steady state.
    ///
    /// @return the number of slabs that the operating system has given since the start
    long getSlabsMade();

    /// The number of open arenas, those of every thread and detached ones.
    ///
    /// @return arenas that were opened and are not closed yet
    int getOpenArenas();

    /// The kernels in use that have a vector form. Each begins in scalar form, which gives the same bits.
    ///
    /// @return kernels; 0 without the Vector API
    int getKernels();

    /// The kernels whose vector form runs, because it was seen to make no objects.
    ///
    /// @return at most [#getKernels()]
    int getVectorKernels();

    /// As [Memory#resetPeak()].
    void resetPeak();

    /// As [Memory#report()].
    ///
    /// @return a table to print
    String report();
}
