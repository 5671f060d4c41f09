package org.toydiff.internal.kernels;

import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;

/// Makes a loop class of its own for each op, from one template.
///
/// A loop that takes what it does to an element as a parameter is compiled once for all ops, and calls through a
/// pointer at every element: 20 times slower than a loop of its own once five ops have used it. A hidden class
/// ([Lookup#defineHiddenClassWithClassData]) is the template's bytes loaded again: the op is a constant in it, so
/// the compiler sees one loop with the op inlined, and no loop has to be written twice.
final class Specializer {
    private Specializer() {}

    /// For a template: the op that this copy of it was made for.
    static MethodHandle op(Lookup own) {
        try {
            return MethodHandles.classData(own, "_", MethodHandle.class);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    /// An instance of a new copy of `template` for `op`. `arguments` are those of its constructor.
    static Object specialize(Class<?> template, MethodHandle op, MethodType constructor, Object... arguments) {
        Lookup lookup = MethodHandles.lookup();
        try (InputStream bytes = template.getResourceAsStream(template.getSimpleName() + ".class")) {
            Lookup copy = lookup.defineHiddenClassWithClassData(bytes.readAllBytes(), op, true);
            return copy.findConstructor(copy.lookupClass(), constructor).invokeWithArguments(arguments);
        } catch (IOException e) {
            throw new IllegalStateException("toydiff's own class " + template.getName() + " cannot be read", e);
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    /// What a method handle of this package's own cannot throw.
    static RuntimeException impossible(Throwable e) {
        if (e instanceof RuntimeException runtime) {
            return runtime;
        }
        if (e instanceof Error error) {
            throw error;
        }
        return new IllegalStateException(e);
    }
}
