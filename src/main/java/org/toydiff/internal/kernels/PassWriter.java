package org.toydiff.internal.kernels;

import static java.lang.constant.ConstantDescs.CD_double;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.toydiff.internal.arithmetic.Emitter;
import org.toydiff.internal.arithmetic.Graph;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.ScalarEmitter;

/// Writes the class of a [Kernel.Pass], a hidden class as in [LoopWriter]. Its methods:
///
/// - `run`, the kernel's method;
/// - `part`, for the elements from one place to another, a multiple of a vector; returns the total of a fold;
/// - `quarters`, for four parts of equal length and the fold of their totals;
/// - `rest`, for the elements after the last vector, one by one.
abstract class PassWriter {
    private static final ClassDesc SEGMENT = LoopCode.SEGMENT;
    static final ClassDesc PARAMETERS = CD_double.arrayType();
    private static final ClassDesc PASS = Kernel.Pass.class.describeConstable().orElseThrow();
    private static final ClassDesc MATH = ClassDesc.of("java.lang.Math");
    private static final int OPERANDS = 4;

    // Slots of a method that takes all operands, the range of elements, and the parameters.
    private static final int SLOTS_OF_OPERAND = 3;
    static final int FROM = OPERANDS * SLOTS_OF_OPERAND;
    static final int TO = FROM + 2;
    static final int PARAMETER_ARRAY = TO + 2;
    private static final int TOTAL = PARAMETER_ARRAY + 1;

    final PassDescription pass;
    final Graph graph;
    final boolean wide;
    final boolean wideStorage;
    final ClassDesc self;
    final ClassDesc element;
    final TypeKind kind;

    PassWriter(String name, PassDescription pass) {
        this.pass = pass;
        graph = pass.graph();
        wide = pass.precision() == Precision.FLOAT64;
        wideStorage = pass.storage() == Precision.FLOAT64;
        self = ClassDesc.of(PassWriter.class.getPackageName(), name);
        element = Element.real(wide).type();
        kind = TypeKind.from(element);
    }

    /// Writes the body of `part`.
    abstract void part(CodeBuilder code);

    /// Writes the body of `quarters`, if the pass has them.
    abstract void quarters(CodeBuilder code);

    /// Writes the methods that only this form has.
    void members(ClassBuilder type) {}

    /// {@return the number of elements of which `part` takes a multiple}
    abstract int step();

    final Kernel.Pass define(Object classData) {
        byte[] bytes = ClassFile.of().build(self, type -> {
            type.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SYNTHETIC).withInterfaceSymbols(PASS);
            LoopCode.constructor(type);
            type.withMethodBody("run", runType(), ClassFile.ACC_PUBLIC | ClassFile.ACC_FINAL, this::run);
            method(type, "part", partType(), this::part);
            method(type, "rest", restType(), this::rest);
            if (pass.inQuarters()) {
                method(type, "quarters", partType(), this::quarters);
            }
            members(type);
        });
        return (Kernel.Pass) LoopCode.instance(bytes, classData, MethodType.methodType(void.class));
    }

    interface Body {
        void write(CodeBuilder code);
    }

    static void method(ClassBuilder type, String name, MethodTypeDesc descriptor, Body body) {
        type.withMethodBody(name, descriptor, ClassFile.ACC_PRIVATE | ClassFile.ACC_STATIC, body::write);
    }

    private static List<ClassDesc> operandTypes() {
        List<ClassDesc> types = new ArrayList<>();
        for (int i = 0; i < OPERANDS; i++) {
            types.add(SEGMENT);
            types.add(CD_long);
        }
        return types;
    }

    private static MethodTypeDesc runType() {
        List<ClassDesc> types = operandTypes();
        types.addAll(List.of(CD_long, PARAMETERS));
        return MethodTypeDesc.of(CD_double, types);
    }

    private MethodTypeDesc partType() {
        List<ClassDesc> types = operandTypes();
        types.addAll(List.of(CD_long, CD_long, PARAMETERS));
        return MethodTypeDesc.of(pass.fold() == null ? CD_void : element, types);
    }

    private MethodTypeDesc restType() {
        return pass.fold() == null
                ? partType()
                : partType().insertParameterTypes(partType().parameterCount(), element);
    }

    /// Pushes the operands of a method, which begin at slot `first`.
    private static void pushOperands(CodeBuilder code, int first) {
        for (int i = 0; i < OPERANDS; i++) {
            code.aload(first + SLOTS_OF_OPERAND * i).lload(first + SLOTS_OF_OPERAND * i + 1);
        }
    }

    private void run(CodeBuilder code) {
        int n = 1 + FROM;
        int parameters = n + 2;
        int whole = code.allocateLocal(TypeKind.LONG);
        code.lload(n).loadConstant((long) -step()).land().lstore(whole);
        if (pass.fold() == null) {
            pushOperands(code, 1);
            code.lconst_0().lload(whole).aload(parameters).invokestatic(self, "part", partType());
            pushOperands(code, 1);
            code.lload(whole).lload(n).aload(parameters).invokestatic(self, "rest", restType());
            code.dconst_0().dreturn();
            return;
        }
        int from = code.allocateLocal(TypeKind.LONG);
        int total = code.allocateLocal(kind);
        code.lconst_0().lstore(from);
        if (pass.inQuarters()) {
            code.lload(n).loadConstant((long) pass.leastOfQuarters()).lcmp();
            code.ifThen(Opcode.IFGE, many -> many.lload(n)
                    .loadConstant(4L * pass.virtualLanes())
                    .ldiv()
                    .loadConstant((long) pass.virtualLanes())
                    .lmul()
                    .lstore(from));
            pushOperands(code, 1);
            code.lconst_0().lload(from).aload(parameters).invokestatic(self, "quarters", partType());
            code.storeLocal(kind, total);
            code.lload(from).loadConstant(4L).lmul().lstore(from);
        }
        pushOperands(code, 1);
        code.lload(from).lload(whole).aload(parameters).invokestatic(self, "part", partType());
        if (pass.inQuarters()) {
            code.loadLocal(kind, total);
            fold(code);
        }
        code.storeLocal(kind, total);
        pushOperands(code, 1);
        code.lload(whole).lload(n).aload(parameters).loadLocal(kind, total);
        code.invokestatic(self, "rest", restType());
        code.conversion(kind, TypeKind.DOUBLE).dreturn();
    }

    private void rest(CodeBuilder code) {
        Map<Integer, Integer> parameters = storeParameters(code, PARAMETER_ARRAY);
        int i = code.allocateLocal(TypeKind.LONG);
        code.lload(FROM).lstore(i);
        Label top = code.newLabel();
        Label end = code.newLabel();
        code.labelBinding(top);
        code.lload(i).lload(TO).lcmp().ifge(end);
        element(code, parameters, inMemory(code, i));
        if (pass.fold() != null) {
            code.loadLocal(kind, TOTAL);
            fold(code);
            code.storeLocal(kind, TOTAL);
        }
        code.lload(i).lconst_1().ladd().lstore(i).goto_(top);
        code.labelBinding(end);
        if (pass.fold() == null) {
            code.return_();
        } else {
            code.loadLocal(kind, TOTAL).return_(kind);
        }
    }

    /// How a loop in scalar form gets at the elements of operands.
    interface Elements {
        /// Pushes whatever locates an operand's current element.
        void locate(int operand);

        /// Replaces a location by the element there.
        void get();

        /// Pops a location and an element, and stores it there.
        void set();
    }

    /// {@return access to element i in memory}
    private Elements inMemory(CodeBuilder code, int i) {
        return new Elements() {
            @Override
            public void locate(int operand) {
                code.aload(segment(operand));
                Element.real(wideStorage).pushLayout(code);
                code.lload(start(operand)).lload(i).ladd();
            }

            @Override
            public void get() {
                Element.real(wideStorage).get(code);
            }

            @Override
            public void set() {
                Element.real(wideStorage).set(code);
            }
        };
    }

    /// Computes an element in scalar form, writes the outputs, and pushes the folded value.
    final void element(CodeBuilder code, Map<Integer, Integer> parameters, Elements elements) {
        var emitter = new ScalarEmitter(code, graph, new Emitter.Leaves() {
            @Override
            public void input(int index) {
                elements.locate(index);
                elements.get();
                code.conversion(storedKind(), kind);
            }

            @Override
            public void mask(int index) {
                throw new IllegalArgumentException("a pass has no masks");
            }

            @Override
            public void parameter(int index) {
                code.loadLocal(kind, parameters.get(index));
            }
        });
        List<PassDescription.Output> outputs = pass.outputs();
        int[] values = new int[outputs.size()];
        for (int k = 0; k < values.length; k++) {
            emitter.result(k);
            values[k] = code.allocateLocal(kind);
            code.storeLocal(kind, values[k]);
        }
        if (pass.fold() != null) {
            emitter.result(values.length);
        }
        for (int k = 0; k < values.length; k++) {
            elements.locate(outputs.get(k).operand());
            code.loadLocal(kind, values[k]).conversion(kind, storedKind());
            elements.set();
        }
    }

    final TypeKind storedKind() {
        return Element.real(wideStorage).kind;
    }

    static int segment(int operand) {
        return SLOTS_OF_OPERAND * operand;
    }

    static int start(int operand) {
        return SLOTS_OF_OPERAND * operand + 1;
    }

    /// Reads the parameters from an array into variables: from index to slot.
    final Map<Integer, Integer> storeParameters(CodeBuilder code, int array) {
        Map<Integer, Integer> slots = new HashMap<>();
        for (int index : graph.parameters()) {
            int slot = code.allocateLocal(kind);
            pushParameter(code, array, index);
            code.storeLocal(kind, slot);
            slots.put(index, slot);
        }
        return slots;
    }

    final void pushParameter(CodeBuilder code, int array, int index) {
        code.aload(array).loadConstant(index).daload().conversion(TypeKind.DOUBLE, kind);
    }

    /// Writes the checks that the operands lie within their segments.
    final void callBounds(CodeBuilder code) {
        for (int operand : pass.operands()) {
            LoopCode.callBounds(code, segment(operand), start(operand));
        }
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

    /// Returns from `part` if there are no elements.
    final void returnIfEmpty(CodeBuilder code) {
        Label work = code.newLabel();
        code.lload(FROM).lload(TO).lcmp().iflt(work);
        if (pass.fold() == null) {
            code.return_();
        } else {
            pushIdentity(code);
            code.return_(kind);
        }
        code.labelBinding(work);
    }

    final void pushIdentity(CodeBuilder code) {
        if (wide) {
            code.loadConstant(pass.fold().identity);
        } else {
            code.loadConstant((float) pass.fold().identity);
        }
    }

    /// Calls `part` of this class for quarter `k`, of `TO` elements, and pushes its total.
    final void callPart(CodeBuilder code, int k) {
        pushOperands(code, 0);
        code.lload(TO)
                .loadConstant((long) k)
                .lmul()
                .lload(TO)
                .loadConstant(k + 1L)
                .lmul();
        code.aload(PARAMETER_ARRAY).invokestatic(self, "part", partType());
    }
}
