package org.toydiff;

import static org.toydiff.Rule.readsInput;
import static org.toydiff.Rule.readsOutput;

import java.util.Arrays;
import org.toydiff.internal.launch.MatrixLayout;
import org.toydiff.internal.launch.Shape;

/// The systems of equations, inverses and determinants of [Linalg].
///
/// Source of the gradients: M. Giles, "An extended collection of matrix derivative results for forward and reverse mode
/// algorithmic differentiation", 2008, section 2.
final class LinearSystemOps {
    private LinearSystemOps() {}

    static Tensor solve(Tensor a, Tensor b) {
        DecompositionOps.requireSquare("solve", a);
        a.requireOperand("solve", b);
        if (b.rank() == 1) {
            return solve(a, b.unsqueeze(-1)).squeeze(-1);
        }
        long[] shape = solutionShape("solve", a, b);
        boolean recorded = Tensor.recorded(a, b);
        long[] pivotShape = Arrays.copyOf(a.shape, a.rank() - 1);
        Tensor lu = saved(a.dtype, a.shape, recorded);
        Tensor pivots = saved(DType.INT32, pivotShape, recorded);
        Launch.unary(Families.copy(a.dtype), a, lu);
        LinalgLaunch.lu("solve", lu, pivots, true);
        Tensor y = DecompositionOps.copy("solve", b, shape);
        LinalgLaunch.luSolve(lu, pivots, false, y);
        if (recorded) {
            return y.record("solve", null, SOLVE, a, b, lu, pivots);
        }
        lu.freeScratch("solve");
        pivots.freeScratch("solve");
        return y;
    }

    private static Tensor saved(DType dtype, long[] shape, boolean recorded) {
        return recorded ? Tensor.makeSaved("solve", dtype, shape) : Tensor.make("solve", dtype, shape, true);
    }

    /// The gradient of the solution x of `a·x = b`: `a⁻ᵀ·g` to b, and from it `−g_b·xᵀ` to a.
    private abstract static class SystemRule implements Rule.Joint {
        @Override
        public int reads(int own) {
            return OUTPUT | OUTPUT - 1;
        }

        @Override
        public Tensor[] contributions(Tensor g, Tensor[] inputs, Tensor x, boolean[] wanted) {
            Tensor[] contributions = new Tensor[inputs.length];
            Tensor toB = toRightSide(g, inputs);
            if (wanted[0]) {
                Tensor toA = toB.matmul(x.transposeLast()).negative();
                contributions[0] = part(toA.sumTo(inputs[0].shape));
            }
            if (wanted[1]) {
                contributions[1] = toB.sumTo(inputs[1].shape);
            }
            return contributions;
        }

        abstract Tensor toRightSide(Tensor g, Tensor[] inputs);

        /// The part of a's gradient that belongs to elements which the op reads.
        abstract Tensor part(Tensor toA);
    }

    private static final class SolveRule extends SystemRule {
        @Override
        Tensor toRightSide(Tensor g, Tensor[] inputs) {
            if (Tensor.recorded(g, inputs[0], inputs[1])) {
                return solve(inputs[0].transposeLast(), g);
            }
            Tensor y = DecompositionOps.copy("solveGradient", g, g.shape);
            LinalgLaunch.luSolve(inputs[2], inputs[3], true, y);
            return y;
        }

        @Override
        Tensor part(Tensor toA) {
            return toA;
        }
    }

    private static final class TriangularSolveRule extends SystemRule {
        private final boolean upper;

        TriangularSolveRule(boolean upper) {
            this.upper = upper;
        }

        @Override
        Tensor toRightSide(Tensor g, Tensor[] inputs) {
            return triangularSolve(inputs[0].transposeLast(), g, !upper);
        }

        @Override
        Tensor part(Tensor toA) {
            return upper ? toA.triu(0) : toA.tril(0);
        }
    }

    private static final Rule[] SOLVE = sameRule(new SolveRule(), 4);
    private static final Rule[] UPPER_SOLVE = sameRule(new TriangularSolveRule(true), 2);
    private static final Rule[] LOWER_SOLVE = sameRule(new TriangularSolveRule(false), 2);

    private static Rule[] sameRule(Rule rule, int inputs) {
        Rule[] rules = new Rule[inputs];
        Arrays.fill(rules, rule);
        return rules;
    }

    static Tensor triangularSolve(Tensor a, Tensor b, boolean upper) {
        DecompositionOps.requireSquare("triangularSolve", a);
        a.requireOperand("triangularSolve", b);
        if (b.rank() == 1) {
            return triangularSolve(a, b.unsqueeze(-1), upper).squeeze(-1);
        }
        long[] shape = solutionShape("triangularSolve", a, b);
        boolean recorded = Tensor.recorded(a, b);
        Tensor y = DecompositionOps.copy("triangularSolve", b, shape);
        Tensor triangle = MatrixLayout.isReadable(a.shape, a.strides) ? a : a.contiguousCopy("triangularSolve");
        try {
            LinalgLaunch.triangularSolve(triangle, upper, y);
        } finally {
            triangle.freeCopyOf(a, "triangularSolve");
        }
        return recorded ? y.record("triangularSolve", null, upper ? UPPER_SOLVE : LOWER_SOLVE, a, b) : y;
    }

    /// The shape of x in `a·x = b`.
    private static long[] solutionShape(String op, Tensor a, Tensor b) {
        DecompositionOps.requireMatrices(op, b);
        if (a.shape[a.rank() - 1] != b.shape[b.rank() - 2]) {
            throw new IllegalArgumentException(op + ": " + Shape.text(a.shape) + " and " + Shape.text(b.shape)
                    + " have different numbers of rows, " + a.shape[a.rank() - 1] + " and " + b.shape[b.rank() - 2]
                    + "; a right-hand side is [n] or [..., n, k]");
        }
        return Products.shape(op, a, b);
    }

    static Tensor inverse(Tensor a) {
        DecompositionOps.requireSquare("inverse", a);
        boolean recorded = Tensor.recorded(a);
        Tensor y = DecompositionOps.copy("inverse", a, a.shape);
        LinalgLaunch.inverse(y);
        return recorded ? y.record("inverse", null, readsOutput(LinearSystemOps::inverseGradient), a) : y;
    }

    /// `−y·gᵀ·y`, transposed
    private static Tensor inverseGradient(Tensor g, Tensor y) {
        Tensor turned = y.transposeLast();
        return turned.matmul(g).matmul(turned).negative();
    }

    static Tensor det(Tensor a) {
        DecompositionOps.requireSquare("det", a);
        boolean recorded = Tensor.recorded(a);
        Tensor y = Tensor.make("det", a.dtype, Arrays.copyOf(a.shape, a.rank() - 2), recorded);
        Tensor lu = DecompositionOps.copy("det", a, a.shape);
        Tensor pivots = Tensor.make("det", DType.INT32, Arrays.copyOf(a.shape, a.rank() - 1), true);
        LinalgLaunch.lu("det", lu, pivots, false);
        LinalgLaunch.determinant(lu, pivots, false, y);
        lu.freeScratch("det");
        pivots.freeScratch("det");
        return recorded ? y.record("det", null, readsInput(LinearSystemOps::detGradient), a) : y;
    }

    /// `g` times the cofactors of x.
    private static Tensor detGradient(Tensor g, Tensor x) {
        if (Tensor.recorded(g, x)) {
            return ofMatrices(g.multiply(det(x))).multiply(inverse(x).transposeLast());
        }
        Tensor cofactors = DecompositionOps.copy("detGradient", x, x.shape);
        LinalgLaunch.cofactors(cofactors);
        return ofMatrices(g).multiply(cofactors.transposeLast());
    }

    static Linalg.LogDet logDet(Tensor a) {
        DecompositionOps.requireSquare("logDet", a);
        boolean recorded = Tensor.recorded(a);
        long[] shape = Arrays.copyOf(a.shape, a.rank() - 2);
        Tensor sign = Tensor.make("logDet", a.dtype, shape, false);
        Tensor y = Tensor.make("logDet", a.dtype, shape, recorded);
        try (var off = Autograd.noGradient();
                var scratch = TensorArena.ofConfined()) {
            Tensor lu = DecompositionOps.copy("logDet", a, a.shape);
            Tensor pivots = Tensor.make("logDet", DType.INT32, Arrays.copyOf(a.shape, a.rank() - 1), false);
            LinalgLaunch.lu("logDet", lu, pivots, false);
            LinalgLaunch.determinant(lu, pivots, true, sign);
            Tensor logarithms = Families.diagonal(lu, lu.rank() - 2, lu.rank() - 1)
                    .abs()
                    .log()
                    .sum(-1);
            Launch.unary(Families.copy(a.dtype), logarithms, y);
        }
        if (recorded) {
            y.record(
                    "logDet",
                    null,
                    readsInput((g, x) -> ofMatrices(g).multiply(inverse(x).transposeLast())),
                    a);
        }
        return new Linalg.LogDet(sign, y);
    }

    /// One number for each matrix, to be broadcast to its elements.
    private static Tensor ofMatrices(Tensor g) {
        return g.unsqueeze(-1).unsqueeze(-1);
    }
}
