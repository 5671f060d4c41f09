package org.toydiff.internal.memory;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import org.toydiff.internal.JvmOptions;

/// Memory as the operating system gives it: not zeroed, and without pages until they are written.
///
/// It comes from the C library, because [java.lang.foreign.Arena#allocate] writes zeros over all of it, which costs
/// a page fault for every page and makes the whole slab resident at once.
record Slab(MemorySegment memory) {
    /// The size of a huge page on x86-64 and arm64, and so the alignment that leaves room for them.
    static final long ALIGNMENT = 2L << 20;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final boolean WINDOWS = System.getProperty("os.name").startsWith("Windows");

    /// C11's aligned_alloc(alignment, bytes). Windows lacks it and has _aligned_malloc(bytes, alignment), whose memory
    /// only _aligned_free takes back:
    /// https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/aligned-malloc
    private static final MethodHandle ALIGNED_ALLOC = alignedAlloc();

    private static final MethodHandle FREE = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow(WINDOWS ? "_aligned_free" : "free"),
            FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));

    /// Null where there is no such function, and where huge pages are switched off.
    private static final MethodHandle MADVISE = madvise();

    /// MADV_HUGEPAGE of <sys/mman.h>, Linux: https://man7.org/linux/man-pages/man2/madvise.2.html
    private static final int ADVICE_HUGE_PAGES = 14;

    /// Returns a handle of type (alignment, bytes).
    private static MethodHandle alignedAlloc() {
        MethodHandle handle = LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(WINDOWS ? "_aligned_malloc" : "aligned_alloc"),
                FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
        return WINDOWS ? MethodHandles.permuteArguments(handle, handle.type(), 1, 0) : handle;
    }

    private static MethodHandle madvise() {
        boolean linux = System.getProperty("os.name").startsWith("Linux");
        if (!linux || !JvmOptions.HUGE_PAGES) {
            return null;
        }
        var type = FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT);
        return LINKER.defaultLookup()
                .find("madvise")
                .map(symbol -> LINKER.downcallHandle(symbol, type))
                .orElse(null);
    }

    /// Allocates a slab.
    ///
    /// @param bytes its size, a multiple of [#ALIGNMENT]
    /// @return the slab, or null when the system has no more memory
    static Slab make(long bytes) {
        try {
            var address = (MemorySegment) ALIGNED_ALLOC.invokeExact(ALIGNMENT, bytes);
            if (address.address() == 0) {
                return null;
            }
            if (MADVISE != null) {
                // Only advice: where the kernel has no huge pages to give, or none at all, the slab has small ones.
                int unused = (int) MADVISE.invokeExact(address, bytes, ADVICE_HUGE_PAGES);
            }
            return new Slab(address.reinterpret(bytes));
        } catch (Throwable e) {
            throw new AssertionError("aligned_alloc and madvise throw nothing", e);
        }
    }

    /// Gives the memory back to the operating system.
    void release() {
        try {
            FREE.invokeExact(memory);
        } catch (Throwable e) {
            throw new AssertionError("free throws nothing", e);
        }
    }

    long bytes() {
        return memory.byteSize();
    }
}
