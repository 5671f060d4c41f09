package org.toydiff.internal.kernels;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.toydiff.internal.JvmOptions;
import org.toydiff.internal.arithmetic.Expression;
import org.toydiff.internal.arithmetic.Graph;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;

/// Chooses the kernels once, at startup: those on the Vector API if the JVM was started with its module, else the
/// scalar ones. `-Dtoydiff.kernels=vector` or `scalar` forces one.
public final class Kernels {
    private static final String PROPERTY = "toydiff.kernels";
    private static final boolean VECTOR = chosen();

    /// By kernel; they live as long as the process.
    private static final Map<Object, Formula> FORMULAS = Collections.synchronizedMap(new IdentityHashMap<>());

    private Kernels() {}

    /// An elementwise kernel's name and the expression that it computes for each element, of FLOAT32 where elements are
    /// BFLOAT16. A kernel of n operands that
    /// reads the result's old elements too has them as operand n.
    public record Formula(String name, Expression expression) {}

    /// {@return `vector` or `scalar`}
    public static String active() {
        return VECTOR ? "vector" : "scalar";
    }

    /// {@return whether kernels have vector forms}
    public static boolean haveVectors() {
        return VECTOR;
    }

    /// The kernels in use that have a vector form.
    public static int loops() {
        return ProvenLoop.loops();
    }

    /// Those of [#loops()] whose vector form runs.
    public static int vectorLoops() {
        return ProvenLoop.provenLoops();
    }

    private static boolean chosen() {
        if (System.getProperty(PROPERTY) == null && !JvmOptions.VECTOR_KERNELS) {
            System.getLogger("org.toydiff")
                    .log(
                            System.Logger.Level.INFO,
                            "scalar kernels: start the JVM with --add-modules jdk.incubator.vector for those on the"
                                    + " Vector API, which are several times faster");
        }
        return JvmOptions.VECTOR_KERNELS;
    }

    static Kernel.Unary unary(String name, Expression result) {
        return noted(
                hasVectorForm(result) ? ProvenUnary.of(name, result) : ScalarLoop.unary(name, result), name, result);
    }

    /// {@return the kernel, after noting what it computes}
    static <K> K noted(K kernel, String name, Expression result) {
        FORMULAS.put(kernel, new Formula(name, result));
        return kernel;
    }

    /// {@return a kernel of BFLOAT16, after noting that it computes as that of FLOAT32 does, and rounds numbers}
    public static <K> K notedRounded(K kernel, Object float32) {
        Formula formula = formula(float32);
        Expression result = formula.expression();
        return noted(
                kernel,
                formula.name().replace(Element.FLOAT32.title(), Element.BFLOAT16.title()),
                result instanceof Real real ? CastKernels.rounded(real) : result);
    }

    /// {@return what an elementwise kernel computes, or null if no expression describes it}
    ///
    /// @param kernel a [Kernel.Unary] or [Kernel.Binary]
    public static Formula formula(Object kernel) {
        return FORMULAS.get(kernel);
    }

    /// {@return the kernel that converts elements to others of another size}
    static Kernel.Unary widthLoop(String name, Element from, Element to) {
        Kernel.Unary scalar = WidthLoop.scalar(name, from, to);
        if (!VECTOR || !WidthLoop.hasVectorForm(from, to)) {
            return scalar;
        }
        return new ProvenUnary(
                name,
                scalar,
                () -> WidthLoop.vectors(name, from, to, Lanes.SHAPE, scalar),
                Lanes.of(Math.max(from.bytes, to.bytes) == Double.BYTES),
                ScratchOperand.ones(from.bytes == Double.BYTES));
    }

    static Kernel.Binary binary(String name, Expression result) {
        return noted(
                hasVectorForm(result) ? new ProvenBinary(name, result) : ScalarLoop.binary(name, result), name, result);
    }

    private static boolean hasVectorForm(Expression result) {
        return VECTOR && Graph.of(List.of(result)).hasVectorForm();
    }

    /// {@return the name of a kernel's class, for profilers}
    static String name(Enum<?> kernel, Precision precision) {
        return BinaryKernel.method(kernel) + (precision == Precision.FLOAT64 ? "Float64" : "Float32");
    }

    static Kernel.Columns columns(Precision storage) {
        return VECTOR ? new ProvenColumns(storage) : ColumnLoop.scalar(storage);
    }

    static Kernel.Pass pass(PassDescription description) {
        return VECTOR ? new ProvenPass(description) : ScalarPass.of(description);
    }
}
