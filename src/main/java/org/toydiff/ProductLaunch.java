package org.toydiff;

import static org.toydiff.Launch.memory;

import org.toydiff.internal.kernels.BinaryKernel;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.launch.Bfloat16ProductWork;
import org.toydiff.internal.launch.MatrixLayout;
import org.toydiff.internal.launch.ProductWork;
import org.toydiff.internal.launch.Shape;

/// The part of [Launch] where products start, with what follows them: a bias added, an activation, or an activation's
/// gradient. Shapes are already checked and outputs made, contiguous and with memory.
final class ProductLaunch {
    /// What follows a product.
    enum Following {
        NOTHING,
        /// A bias added, an activation, or both.
        ACTIVATION,
        /// An activation's gradient, over that activation's output.
        GRADIENT,
        /// An activation's gradient in a launch of its own, for which both operands must stay.
        LATER_GRADIENT
    }

    /// What follows the products of a thread; the bias may be null, and so may the activation.
    record Then(Following following, Tensor bias, Activation activation) {
        static final Then NOTHING = new Then(Following.NOTHING, null, null);
    }

    /// A recorded product.
    record Recorded(Recorder.Loop product, Then then, Tensor a, Tensor b, Tensor y) implements Runnable {
        /// Whether `kernel` is the gradient that follows in a launch of its own.
        boolean isBefore(Kernel.Binary kernel) {
            return then.following == Following.LATER_GRADIENT && kernel == gradient(then.activation, y);
        }

        /// Returns the product that goes through the gradient which follows it, over the output `value` of the
        /// activation.
        Recorded through(Tensor value) {
            return new Recorded(product, new Then(Following.GRADIENT, null, then.activation), a, b, value);
        }

        @Override
        public void run() {
            switch (then.following) {
                case NOTHING -> {}
                case ACTIVATION -> beginThen(then.bias, then.activation, y);
                case GRADIENT -> beginThrough(then.activation, y);
                case LATER_GRADIENT -> beginBeforeGradient(then.activation);
            }
            try {
                product.run(a, b, y);
            } finally {
                endThen();
            }
        }
    }

    /// From now on what follows a product of this thread: a bias added, an activation, either of which may be null.
    /// To be ended by [#endThen].
    static void beginThen(Tensor bias, Activation activation, Tensor y) {
        Scope scope = Scope.current();
        if (scope.recorder != null) {
            scope.recorder.then = new Then(Following.ACTIVATION, bias, activation);
        }
        if (y.dtype == DType.BFLOAT16) {
            beginThenOfHalves(bias, activation);
        } else if (bias != null && !bias.storage.isAbstract()) {
            var kernel = y.dtype.kind.of(activation == null ? BinaryKernel.ADD : activation.afterBias);
            scope.products.addBias(kernel, memory(bias), bias.offset, bias.strides[0]);
        } else if (activation != null) {
            scope.products.activate(y.dtype.kind.of(activation.kernel));
        }
    }

    private static void beginThenOfHalves(Tensor bias, Activation activation) {
        Bfloat16ProductWork work = Scope.current().halfProducts;
        if (bias != null && !bias.storage.isAbstract()) {
            work.addBias(memory(bias), bias.offset, bias.strides[0]);
        }
        if (activation != null) {
            work.activate(DType.BFLOAT16.kind.of(activation.kernel));
        }
    }

    /// From now on a product of this thread goes through an activation's gradient over that activation's output. To
    /// be ended by [#endThen].
    static void beginThrough(Activation activation, Tensor y) {
        Scope scope = Scope.current();
        if (scope.recorder != null) {
            scope.recorder.then = new Then(Following.GRADIENT, null, activation);
        }
        Kernel.Binary gradient = gradient(activation, y);
        if (y.dtype == DType.BFLOAT16) {
            scope.halfProducts.throughGradient(gradient);
        } else {
            scope.products.throughGradient(gradient);
        }
    }

    private static Kernel.Binary gradient(Activation activation, Tensor y) {
        return y.dtype.kind.of(activation.gradient);
    }

    /// From now on an activation's gradient reads the products of this thread, in a launch of its own, with the bits of
    /// [#beginThrough]. To be ended by [#endThen].
    static void beginBeforeGradient(Activation activation) {
        Scope scope = Scope.current();
        if (scope.recorder != null) {
            scope.recorder.then = new Then(Following.LATER_GRADIENT, null, activation);
        }
        scope.products.beforeGradient();
    }

    static void endThen() {
        Scope scope = Scope.current();
        scope.products.plain();
        scope.halfProducts.plain();
        if (scope.recorder != null) {
            scope.recorder.then = Then.NOTHING;
        }
    }

    /// `y = a·b + beta·y` for matrices that BLAS can read where they lie; y is contiguous, beta 0 or 1.
    static void product(Tensor a, Tensor b, double beta, Tensor y) {
        products(a, Shape.SCALAR, b, Shape.SCALAR, beta, y, Shape.SCALAR);
    }

    /// `y = aᵀ·b + beta·y`, without a view of a that has its axes exchanged.
    static void productOfSwapped(Tensor a, Tensor b, double beta, Tensor y) {
        if (y.dtype == DType.BFLOAT16) {
            product(a.matrixTranspose(), b, beta, y);
            return;
        }
        Scope scope = Scope.current();
        ProductWork work = scope.products;
        left(work, a, true);
        right(work, b);
        work.run(y.isWide(), beta, memory(y), y.offset, Shape.SCALAR, Shape.SCALAR, Shape.SCALAR);
        if (scope.recorder != null) {
            scope.recorder.product(a, b, beta, y, (x, z, to) -> productOfSwapped(x, z, beta, to));
        }
    }

    /// As [#product] for a batch of the given leading axes, of which a, b and y are the first; the strides are 0
    /// along axes where an operand is stretched.
    static void products(
            Tensor a, long[] aStrides, Tensor b, long[] bStrides, double beta, Tensor y, long[] leadingAxes) {
        Scope scope = Scope.current();
        if (y.dtype == DType.BFLOAT16) {
            Bfloat16ProductWork work = scope.halfProducts;
            work.left(memory(a), a.offset, a.shape[0], a.shape[1], a.strides[0], a.strides[1]);
            work.right(memory(b), b.offset, b.shape[1], b.strides[0], b.strides[1]);
            work.run(beta, memory(y), y.offset, leadingAxes, aStrides, bStrides);
        } else {
            ProductWork work = scope.products;
            left(work, a, false);
            right(work, b);
            work.run(y.isWide(), beta, memory(y), y.offset, leadingAxes, aStrides, bStrides);
        }
        if (scope.recorder != null) {
            scope.recorder.product(
                    a, b, beta, y, (x, z, to) -> products(x, aStrides, z, bStrides, beta, to, leadingAxes));
        }
    }

    private static void left(ProductWork work, Tensor a, boolean swapped) {
        int row = swapped ? 1 : 0;
        int column = 1 - row;
        boolean columnsLie = MatrixLayout.transposed(a.shape, a.strides);
        work.left(
                memory(a),
                a.offset,
                a.shape[row],
                a.shape[column],
                a.strides[row],
                columnsLie != swapped,
                MatrixLayout.leading(a.shape, a.strides, columnsLie),
                MatrixLayout.increment(a.shape, a.strides, column));
    }

    private static void right(ProductWork work, Tensor b) {
        boolean transposed = MatrixLayout.transposed(b.shape, b.strides);
        work.right(
                memory(b),
                b.offset,
                b.shape[1],
                b.strides[1],
                transposed,
                MatrixLayout.leading(b.shape, b.strides, transposed),
                MatrixLayout.increment(b.shape, b.strides, 0));
    }
}
