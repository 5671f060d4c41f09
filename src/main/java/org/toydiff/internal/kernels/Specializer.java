package org.toydiff.internal.kernels;

import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;

/// Makes a separate loop class for each op, from one template.
///
/// A loop that takes its operation as a parameter is compiled once for all ops, and makes an indirect call for every
/// element: 20 times slower than a dedicated loop once five ops have used it. A hidden class
/// ([Lookup#defineHiddenClassWithClassData]) is the template's bytes loaded again: the op is a constant in it, so
/// the compiler sees one loop with the op inlined, and no loop has to be written twice.
final class Specializer {
    private Specializer() {}

    /// {@return the op for which this copy of a template was made} Called by the template.
    static MethodHandle op(Lookup own) {
        try {
            return MethodHandles.classData(own, "_", MethodHandle.class);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    /// {@return an instance of a new copy of `template` for `op`} `arguments` are those of its constructor.
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

    /// Converts a throwable of this package's method handles, which throw no checked exception, to an unchecked one.
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
