package org.toydiff.internal.kernels;

import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_long;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.List;
import org.toydiff.internal.arithmetic.Graph;
import org.toydiff.internal.arithmetic.Precision;

/// Writes the arithmetic of a [PassLoop], its subclass, a hidden class as in [LoopWriter].
abstract class PassWriter {
    static final ClassDesc DOUBLES = CD_double.arrayType();
    private static final ClassDesc MATH = ClassDesc.of("java.lang.Math");
    static final int OPERANDS = 5;

    /// The type of [PassLoop]'s `part` and `quarters`.
    static final MethodTypeDesc PART = part();

    // Slots of such a method.
    private static final int SLOTS_OF_OPERAND = 3;
    static final int FROM = 1 + OPERANDS * SLOTS_OF_OPERAND;
    static final int TO = FROM + 2;
    static final int PARAMETER_ARRAY = TO + 2;
    static final int TOTALS = PARAMETER_ARRAY + 1;

    final PassDescription pass;
    final Graph graph;
    final boolean wide;
    final boolean wideStorage;
    final ClassDesc element;
    final TypeKind kind;
    private final String name;

    private static MethodTypeDesc part() {
        List<ClassDesc> types = new ArrayList<>();
        for (int i = 0; i < OPERANDS; i++) {
            types.addAll(List.of(LoopCode.SEGMENT, CD_long));
        }
        types.addAll(List.of(CD_long, CD_long, DOUBLES, DOUBLES));
        return MethodTypeDesc.of(CD_double, types);
    }

    PassWriter(String name, PassDescription pass) {
        this.name = name;
        this.pass = pass;
        graph = pass.graph();
        wide = pass.precision() == Precision.FLOAT64;
        wideStorage = pass.storage() == Precision.FLOAT64;
        element = Element.real(wide).type();
        kind = TypeKind.from(element);
    }

    /// Writes all methods.
    abstract void members(ClassBuilder type);

    final Object define(Class<?> superclass, Object classData, MethodType constructor, Object... arguments) {
        ClassDesc self = ClassDesc.of(PassWriter.class.getPackageName(), name);
        byte[] bytes = ClassFile.of().build(self, type -> {
            type.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SYNTHETIC);
            LoopCode.constructor(type, superclass, constructor);
            members(type);
        });
        return LoopCode.instance(bytes, classData, constructor, arguments);
    }

    interface Body {
        void write(CodeBuilder code);
    }

    static void method(ClassBuilder type, String name, MethodTypeDesc descriptor, Body body) {
        type.withMethodBody(name, descriptor, ClassFile.ACC_FINAL, body::write);
    }

    static int segment(int operand) {
        return 1 + SLOTS_OF_OPERAND * operand;
    }

    static int start(int operand) {
        return segment(operand) + 1;
    }

    final void pushParameter(CodeBuilder code, int array, int index) {
        code.aload(array).loadConstant(index).daload().conversion(TypeKind.DOUBLE, kind);
    }

    /// Replaces two values by their fold.
    final void fold(CodeBuilder code) {
        if (pass.fold() != PassDescription.Fold.SUM) {
            code.invokestatic(MATH, pass.fold().method, MethodTypeDesc.of(element, element, element));
        } else if (wide) {
            code.dadd();
        } else {
            code.fadd();
        }
    }

    /// Returns the total on the stack.
    final void returnTotal(CodeBuilder code) {
        code.conversion(kind, TypeKind.DOUBLE).dreturn();
    }
}
