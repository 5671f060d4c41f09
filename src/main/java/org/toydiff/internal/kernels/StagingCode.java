package org.toydiff.internal.kernels;

import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.function.IntConsumer;

/// Writes the part of a method that passes operands through a [Staging]. The names of integers are those of slots.
final class StagingCode {
    private static final ClassDesc STAGING = Staging.class.describeConstable().orElseThrow();
    private static final ClassDesc LAYOUT = LoopCode.LAYOUT;
    private static final ClassDesc SEGMENT = LoopCode.SEGMENT;
    private static final ClassDesc MATH = ClassDesc.of("java.lang.Math");

    private final CodeBuilder code;
    private final int staging;

    /// An operand's array and its elements in memory, of which element 0 is at `start`.
    record Staged(int operand, Element element, int array, int segment, int start) {}

    /// Writes the code for one block of elements.
    interface Block {
        void write(int index, int count);
    }

    /// Takes a staging.
    StagingCode(CodeBuilder code) {
        this.code = code;
        staging = code.allocateLocal(TypeKind.REFERENCE);
        code.invokestatic(STAGING, "take", MethodTypeDesc.of(STAGING)).astore(staging);
    }

    void giveBack() {
        code.aload(staging).invokevirtual(STAGING, "giveBack", MethodTypeDesc.of(CD_void));
    }

    /// Pushes whether operands can be staged.
    static void pushFits(CodeBuilder code, int n, int resultStep, int step, int otherStep) {
        code.lload(n).lload(resultStep).lload(step).lload(otherStep);
        code.invokestatic(STAGING, "fits", MethodTypeDesc.of(CD_boolean, CD_long, CD_long, CD_long, CD_long));
    }

    /// Stores an operand's array of elements of this type, and returns its slot.
    int array(int operand, Element element) {
        int array = code.allocateLocal(TypeKind.REFERENCE);
        code.aload(staging);
        element.pushLayout(code);
        code.loadConstant(operand);
        code.invokevirtual(STAGING, "array", MethodTypeDesc.of(CD_Object, LAYOUT, CD_int));
        code.checkcast(element.type().arrayType()).astore(array);
        return array;
    }

    /// Stages an operand whose elements in memory are given by slots.
    Staged stage(int operand, Element element, int segment, int start) {
        return new Staged(operand, element, array(operand, element), segment, start);
    }

    /// Fills an operand's array with its first element.
    void repeat(Staged x) {
        code.aload(staging);
        x.element().pushLayout(code);
        code.loadConstant(x.operand()).aload(x.segment()).lload(x.start());
        code.invokevirtual(STAGING, "repeat", MethodTypeDesc.of(CD_Object, LAYOUT, CD_int, SEGMENT, CD_long));
        code.pop();
    }

    /// Copies a block of an operand's elements to its array.
    void load(Staged x, int index, int count) {
        code.aload(staging);
        x.element().pushLayout(code);
        code.loadConstant(x.operand()).aload(x.segment());
        code.lload(x.start()).lload(index).ladd().iload(count);
        code.invokevirtual(STAGING, "load", MethodTypeDesc.of(CD_Object, LAYOUT, CD_int, SEGMENT, CD_long, CD_int));
        code.pop();
    }

    /// Copies a block of an operand's elements from its array.
    void store(Staged y, int index, int count) {
        code.aload(y.array());
        y.element().pushLayout(code);
        code.aload(y.segment()).lload(y.start()).lload(index).ladd().iload(count);
        code.invokestatic(STAGING, "store", MethodTypeDesc.of(CD_void, CD_Object, LAYOUT, SEGMENT, CD_long, CD_int));
    }

    /// Writes `for (long index = from; index < to; index += count) { count = min(LENGTH, to - index); … }`.
    void forBlocks(Runnable from, int to, Block block) {
        int index = code.allocateLocal(TypeKind.LONG);
        int count = code.allocateLocal(TypeKind.INT);
        Label top = code.newLabel();
        Label end = code.newLabel();
        from.run();
        code.lstore(index);
        code.labelBinding(top);
        code.lload(index).lload(to).lcmp().ifge(end);
        code.loadConstant((long) Staging.LENGTH).lload(to).lload(index).lsub();
        code.invokestatic(MATH, "min", MethodTypeDesc.of(CD_long, CD_long, CD_long))
                .l2i()
                .istore(count);
        block.write(index, count);
        code.lload(index).iload(count).i2l().ladd().lstore(index).goto_(top);
        code.labelBinding(end);
    }

    /// Writes `for (int i = 0; i < count; i += step) body`.
    static void forElements(CodeBuilder code, int count, int step, IntConsumer body) {
        int i = code.allocateLocal(TypeKind.INT);
        Label top = code.newLabel();
        Label end = code.newLabel();
        code.iconst_0().istore(i);
        code.labelBinding(top);
        code.iload(i).iload(count).if_icmpge(end);
        body.accept(i);
        code.iinc(i, step).goto_(top);
        code.labelBinding(end);
    }
}
