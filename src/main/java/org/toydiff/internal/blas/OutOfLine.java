package org.toydiff.internal.blas;

import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import org.toydiff.internal.Inlining;

/// Writes methods that C2 does not inline into their callers.
///
/// A downcall takes slices of its operands, which are no objects as long as C2 compiles the method that makes them by
/// itself. Inlined into a large caller they are some of the time, and then for good: 120 bytes for each product were
/// seen in two JVMs of three.
final class OutOfLine {
    private OutOfLine() {}

    /// {@return an object whose method calls a static one}
    ///
    /// @param type an interface of one method, of this package
    /// @param owner the class of the static method, of this package
    /// @param name the name of the static method, whose parameters and result are those of the interface's
    static <T> T calling(Class<T> type, Class<?> owner, String name) {
        Method method = type.getDeclaredMethods()[0];
        MethodTypeDesc descriptor = MethodType.methodType(method.getReturnType(), method.getParameterTypes())
                .describeConstable()
                .orElseThrow();
        ClassDesc self = ClassDesc.of(OutOfLine.class.getPackageName(), owner.getSimpleName() + "_" + name);
        byte[] bytes = ClassFile.of().build(self, hidden -> {
            hidden.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SYNTHETIC);
            hidden.withInterfaceSymbols(descriptor(type));
            hidden.withMethodBody(ConstantDescs.INIT_NAME, ConstantDescs.MTD_void, 0, code -> code.aload(0)
                    .invokespecial(ConstantDescs.CD_Object, ConstantDescs.INIT_NAME, ConstantDescs.MTD_void)
                    .return_());
            hidden.withMethodBody(
                    method.getName(),
                    descriptor,
                    ClassFile.ACC_PUBLIC,
                    code -> call(code, descriptor(owner), name, descriptor));
        });
        Lookup lookup = MethodHandles.lookup();
        try {
            Class<?> hidden = lookup.defineHiddenClass(bytes, true).lookupClass();
            return type.cast(hidden.getDeclaredConstructor().newInstance());
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    private static ClassDesc descriptor(Class<?> type) {
        return type.describeConstable().orElseThrow();
    }

    private static void call(CodeBuilder code, ClassDesc owner, String name, MethodTypeDesc descriptor) {
        for (int i = 0; i < descriptor.parameterCount(); i++) {
            code.loadLocal(TypeKind.from(descriptor.parameterType(i)), code.parameterSlot(i));
        }
        code.invokestatic(owner, name, descriptor);
        code.return_(TypeKind.from(descriptor.returnType()));
        Inlining.prevent(code);
    }
}
