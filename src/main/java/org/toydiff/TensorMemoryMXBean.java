package org.toydiff;

/// The MXBean `org.toydiff:type=Memory`: the figures of [Memory], and the pool's.
///
/// It joins the platform's MBean server when the first arena is opened, or, when that server is made later, as by a
/// tool that attaches (JDK Mission Control, VisualVM), at one of the next 16 openings of an arena. The library never
/// makes the server and keeps no thread to watch for it.
///
/// Copies of the library in other class loaders join as `org.toydiff:type=Memory,loader=…`. The server holds the
/// class loader of a bean: code that drops a loader unregisters `org.toydiff:type=Memory,*` as with every bean.
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

    /// Address space that the pool holds from the operating system: in use or not, and resident only where it was
    /// written.
    ///
    /// @return bytes of all slabs
    long getSlabBytes();

    /// How often the pool grew; it stands still in the steady state.
    ///
    /// @return slabs asked of the operating system since the start
    long getSlabsMade();

    /// Arenas that were opened and not closed yet, on all threads.
    ///
    /// @return how many
    int getOpenArenas();

    /// As [Memory#resetPeak()].
    void resetPeak();

    /// As [Memory#report()].
    ///
    /// @return a table to print
    String report();
}
