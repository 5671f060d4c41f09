package org.toydiff.internal.arithmetic;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/// A public static method from float to float or from double to double, for [Real#rarely].
///
/// @param owner the class that declares it
/// @param name its name; a class may declare it for both types
public record ScalarFunction(Class<?> owner, String name) {
    /// {@return the method for one precision}
    ///
    /// @throws IllegalArgumentException if there is none
    public MethodHandle of(Precision precision) {
        Class<?> type = precision == Precision.FLOAT32 ? float.class : double.class;
        try {
            return MethodHandles.publicLookup().findStatic(owner, name, MethodType.methodType(type, type));
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException(
                    "no static method " + type + " " + owner.getName() + "." + name + "(" + type + ")", e);
        }
    }
}
