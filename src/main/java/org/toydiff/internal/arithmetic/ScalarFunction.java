package org.toydiff.internal.arithmetic;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;

/// A public static method of floats or of doubles that returns another, for [Real#rarely].
///
/// @param owner the class that declares it
/// @param name its name; a class may declare it for both types
public record ScalarFunction(Class<?> owner, String name) {
    /// {@return the method for one precision and number of arguments}
    ///
    /// @throws IllegalArgumentException if there is none
    public MethodHandle of(Precision precision, int arguments) {
        Class<?> type = precision == Precision.FLOAT32 ? float.class : double.class;
        List<Class<?>> parameters = Collections.nCopies(arguments, type);
        try {
            return MethodHandles.publicLookup().findStatic(owner, name, MethodType.methodType(type, parameters));
        } catch (ReflectiveOperationException e) {
            String types = parameters.stream().map(Class::getName).collect(Collectors.joining(", "));
            throw new IllegalArgumentException(
                    "no static method " + type + " " + owner.getName() + "." + name + "(" + types + ")", e);
        }
    }
}
