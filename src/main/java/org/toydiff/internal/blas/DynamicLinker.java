package org.toydiff.internal.blas;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/// The dynamic linker of Linux, dlopen(3). The JVM asks it to bind a function when it is first called, and if there is
/// none then, it ends the process.
final class DynamicLinker {
    /// RTLD_NOW of <dlfcn.h>: bind all functions at once.
    private static final int NOW = 2;

    private static final FunctionDescriptor DLOPEN =
            FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
    private static final FunctionDescriptor DLERROR = FunctionDescriptor.of(ValueLayout.ADDRESS);
    private static final FunctionDescriptor DLCLOSE = FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS);

    private DynamicLinker() {}

    /// Opens a library until the arena is closed, if this is Linux; other systems bind all functions by themselves.
    ///
    /// @throws UnsatisfiedLinkError if it is none, or it or one that it needs is not there or lacks a function
    static void open(Path file, Arena arena) {
        if (!Artifact.platform().startsWith("linux")) {
            return;
        }
        MethodHandle open = handle("dlopen", DLOPEN);
        // Linked before dlopen is called: what lies between could replace its message.
        MethodHandle error = handle("dlerror", DLERROR);
        MethodHandle close = handle("dlclose", DLCLOSE);
        try {
            MemorySegment library = (MemorySegment) open.invokeExact(arena.allocateFrom(file.toString()), NOW);
            if (library.address() == 0) {
                MemorySegment text = (MemorySegment) error.invokeExact();
                throw new UnsatisfiedLinkError(text.reinterpret(Long.MAX_VALUE).getString(0));
            }
            MemorySegment unused = library.reinterpret(arena, opened -> close(close, opened));
        } catch (Throwable e) {
            throw CBlas.unchecked(e);
        }
    }

    private static void close(MethodHandle close, MemorySegment library) {
        try {
            int unused = (int) close.invokeExact(library);
        } catch (Throwable e) {
            throw CBlas.unchecked(e);
        }
    }

    private static MethodHandle handle(String function, FunctionDescriptor type) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(function), type);
    }
}
