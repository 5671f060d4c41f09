package org.toydiff.internal.fusion;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.toydiff.internal.arithmetic.Expression;
import org.toydiff.internal.arithmetic.Graph;
import org.toydiff.internal.arithmetic.Precision;
import org.toydiff.internal.arithmetic.Real;
import org.toydiff.internal.kernels.CastKernels;
import org.toydiff.internal.kernels.Element;
import org.toydiff.internal.kernels.Staging;

/// The computation of a fused loop for each element: a straight-line program of kernels. Its values are the inputs,
/// numbered from 0, then the constants, then the results of the calls. Some of these are stored, the others exist
/// in registers only.
///
/// A loop performs the very operations of the kernels, none contracted or reordered, so that it gives the bits that
/// they give one after another. Equal operations on equal operands are done once, arithmetic on constants when the loop
/// is generated.
///
/// @param precision the width of the numbers: FLOAT32 for elements of 4 bytes and BFLOAT16, FLOAT64 for those of 8 and
///     FLOAT32; truth values go with both
/// @param inputs the types of the operands that are read
/// @param constants numbers that are the same for all elements
/// @param calls the kernels in order
/// @param outputs the values that are stored, in the order of the operands that are written
public record LoopProgram(
        Precision precision, List<Element> inputs, List<Constant> constants, List<Call> calls, List<Output> outputs) {
    /// The largest number of operands.
    static final int MAX_OPERANDS = Staging.MAX_OPERANDS;

    /// The largest number of operations: HotSpot compiles no method of 8,000 bytes or more, and the vector form has
    /// some 20 for each.
    static final int MAX_OPERATIONS = 320;

    /// The largest number of vectors that are in use at once, besides constants and repeated operands: AVX2 has 16
    /// registers. A kernel that needs more by itself, such as a power, keeps some in memory in any loop; then so many
    /// more may be in use.
    static final int MAX_LIVE = 16;

    private static final int MAX_LIVE_BESIDE = 4;

    /// A number.
    ///
    /// @param text the number as text
    /// @param expression the number, which [is constant][Expression#isConstant()]
    public record Constant(String text, Expression expression) {
        /// {@return a number as an element, or null if no expression is such an element}
        static Constant of(Element element, double value) {
            return switch (element) {
                case FLOAT32, FLOAT64 -> of(element.precision().constant(value));
                case INT32, INT64 ->
                    new Constant(
                            Long.toString((long) value),
                            element.precision().bits((long) value).real());
                case BFLOAT16 ->
                    of(element.precision().constant(Float.intBitsToFloat(CastKernels.bfloat16(value) << Short.SIZE)));
                case BOOL -> null;
            };
        }

        static Constant of(Expression expression) {
            return new Constant(expression.toString(), expression);
        }
    }

    /// A kernel applied to values.
    ///
    /// @param kernel its name
    /// @param expression the computation
    /// @param arguments the number of the value that stands for each of its operands
    public record Call(String kernel, Expression expression, List<Integer> arguments) {}

    /// A value stored to an operand.
    public record Output(int value, Element element) {}

    /// {@return the graph of the outputs}
    Graph graph() {
        List<Expression> values = new ArrayList<>();
        for (int i = 0; i < inputs.size(); i++) {
            values.add(loaded(i));
        }
        constants.forEach(constant -> values.add(constant.expression()));
        for (Call call : calls) {
            values.add(call.expression()
                    .substitute(call.arguments().stream().map(values::get).toList()));
        }
        return Graph.of(outputs.stream()
                .map(output -> stored(values.get(output.value()), output.element()))
                .toList());
    }

    /// {@return the value of an input}
    private Expression loaded(int input) {
        return switch (inputs.get(input)) {
            case BOOL -> precision.mask(input);
            case BFLOAT16 -> CastKernels.ofLowerHalf(precision.input(input));
            case FLOAT32, FLOAT64, INT32, INT64 -> precision.input(input);
        };
    }

    /// {@return a value as the loop stores it}
    private static Expression stored(Expression value, Element element) {
        return element == Element.BFLOAT16 ? CastKernels.toLowerHalf((Real) value) : value;
    }

    /// {@return the type of an operand: the inputs come first, then the outputs}
    Element element(int operand) {
        return operand < inputs.size()
                ? inputs.get(operand)
                : outputs.get(operand - inputs.size()).element();
    }

    /// {@return the number of operands}
    public int operandCount() {
        return inputs.size() + outputs.size();
    }

    /// {@return whether one loop can be this program} A program that is too large must be split.
    public boolean fits() {
        if (operandCount() > MAX_OPERANDS) {
            return false;
        }
        Graph graph = graph();
        int live = graph.liveValues();
        return graph.operationCount() <= MAX_OPERATIONS && (live <= MAX_LIVE || live <= mostOfCall() + MAX_LIVE_BESIDE);
    }

    /// {@return the most values that are in use at once in a kernel by itself}
    private int mostOfCall() {
        return calls.stream()
                .mapToInt(call -> Graph.of(List.of(call.expression())).liveValues())
                .max()
                .orElse(0);
    }

    /// {@return a name for profilers}
    String name() {
        String kernels = calls.stream()
                .limit(6)
                .map(call -> Character.toUpperCase(call.kernel().charAt(0))
                        + call.kernel().substring(1))
                .collect(Collectors.joining());
        return "fused" + kernels;
    }

    /// The names of values in pseudo-code beside that of other loops.
    ///
    /// @param inputs the number of the first input
    /// @param others that of the first value that is not stored
    /// @param results that of the first one that is
    /// @param first the name of the first input, which does not count; null for one that does
    /// @param result the name of the results; null for numbered ones
    record Names(int inputs, int others, int results, String first, String result) {
        private static final Names OF_ONE_LOOP = new Names(0, 0, 0, null, null);

        String input(int input) {
            return first == null ? "x" + (inputs + input) : input == 0 ? first : "x" + (inputs + input - 1);
        }
    }

    /// {@return readable pseudo-code, a line for each call} Inputs are `x0`, `x1` …, constants are numbers, stored
    /// values `y0`, `y1` …, others `t0`, `t1` …
    @Override
    public String toString() {
        return text(Names.OF_ONE_LOOP);
    }

    /// {@return readable pseudo-code with such names}
    String text(Names names) {
        return Stream.iterate(0, k -> k < calls.size(), k -> k + 1)
                .map(k -> {
                    Call call = calls.get(k);
                    String arguments = call.arguments().stream()
                            .map(value -> text(value, names))
                            .collect(Collectors.joining(", "));
                    return text(inputs.size() + constants.size() + k, names) + " = " + verb(call.kernel()) + "("
                            + arguments + ")";
                })
                .collect(Collectors.joining("\n"));
    }

    /// {@return a kernel's name without the precision, which is the same for all}
    private static String verb(String kernel) {
        return kernel.replaceFirst("(?<!To)(Float32|Float64|Bfloat16|Int32|Int64)$", "");
    }

    /// {@return the name of a value: `x0` for an input, `y0` for a stored one, else `t0`; or a constant}
    private String text(int value, Names names) {
        if (value < inputs.size()) {
            return names.input(value);
        }
        int first = inputs.size() + constants.size();
        if (value < first) {
            return constants.get(value - inputs.size()).text();
        }
        for (int k = 0; k < outputs.size(); k++) {
            if (outputs.get(k).value() == value) {
                return names.result() == null ? "y" + (names.results() + k) : names.result();
            }
        }
        return "t" + (names.others() + value - first);
    }
}
