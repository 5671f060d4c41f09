package org.toydiff;

import static org.toydiff.Rule.readsAllInputs;
import static org.toydiff.Rule.readsInputs;
import static org.toydiff.Rule.readsOutput;

import org.toydiff.internal.launch.RowWork;
import org.toydiff.internal.launch.Shape;

/// Softmax of a [Tensor] and the ops fused with it. Kernels work along the last axis; another axis is moved there
/// and back.
public sealed interface SoftmaxOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// `eˣ / Σ eˣ` along an axis; shifted by the largest element first, so that large elements do not overflow;
    /// gradient `y·(g − Σ g·y)`.
    ///
    /// @param axis the axis that sums to 1, negative ones counted from the back
    /// @return a new tensor of this shape
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor softmax(int axis) {
        return alongLast(self(), axis, "softmax", RowWork.Kind.SOFTMAX, readsOutput(SoftmaxOps::softmaxGradient));
    }

    /// `ln softmax` along an axis, computed without forming the softmax, so that small probabilities keep their
    /// digits; gradient `g − softmax·Σ g`.
    ///
    /// @param axis the axis of the softmax, negative ones counted from the back
    /// @return a new tensor of this shape
    /// @throws IllegalArgumentException if the axis is out of range
    default Tensor logSoftmax(int axis) {
        return alongLast(
                self(), axis, "logSoftmax", RowWork.Kind.LOG_SOFTMAX, readsOutput(SoftmaxOps::logSoftmaxGradient));
    }

    /// Cross entropy of each row with its label, `−ln softmax(this)[label]`, in one pass; gradient
    /// `g·(softmax(this) − 1 at the label)`.
    ///
    /// **Memory** a new tensor `[n]`; backward computes the softmax again instead of keeping it.
    ///
    /// @param labels the class of each row, `[n]`, INT32 or INT64
    /// @return a new tensor `[n]`, for a `[n, classes]` of logits
    /// @throws IllegalArgumentException if the shapes do not fit or a label is none of the classes
    default Tensor crossEntropy(Tensor labels) {
        return crossEntropy(self(), labels, RowWork.NONE);
    }

    /// [#crossEntropy(Tensor)] that ignores the rows with a certain label: their elements of the result are 0, and so
    /// are the gradients to them, whatever the logits are.
    ///
    /// **Memory** a new tensor `[n]`; backward computes the softmax again instead of keeping it.
    ///
    /// @param labels the class of each row, `[n]`, INT32 or INT64
    /// @param ignoreIndex the label of the rows to ignore, one of the classes or any other number
    /// @return a new tensor `[n]`, for a `[n, classes]` of logits
    /// @throws IllegalArgumentException if the shapes do not fit or a label is none of the classes and not ignored
    default Tensor crossEntropy(Tensor labels, int ignoreIndex) {
        return crossEntropy(self(), labels, ignoreIndex);
    }

    private static Tensor crossEntropy(Tensor logits, Tensor labels, long ignored) {
        logits.requireFloating("crossEntropy");
        labels.requireReadable("crossEntropy");
        requireLabels(logits, labels, ignored);
        boolean recorded = Tensor.recorded(logits);
        DType dtype = Autocast.ofLoss(logits.dtype);
        Tensor y = Tensor.make("crossEntropy", dtype, new long[] {logits.shape[0]}, recorded);
        if (logits.shape[1] == 0) {
            // All labels are ignored, and there is no row for the kernel.
            y.fill(0);
        }
        launch("crossEntropy", RowWork.Kind.CROSS_ENTROPY, logits, null, labels, ignored, y);
        return recorded ? y.record("crossEntropy", null, crossEntropyRule(ignored), null, logits, labels) : y;
    }

    private static Rule crossEntropyRule(long ignored) {
        return ignored == RowWork.NONE
                ? readsInputs((g, logits, labels) -> crossEntropyGradient(g, logits, labels, RowWork.NONE))
                : readsInputs((g, logits, labels) -> crossEntropyGradient(g, logits, labels, ignored));
    }

    private static Tensor alongLast(Tensor x, int axis, String op, RowWork.Kind kind, Rule rule) {
        x.requireFloating(op);
        int at = Shape.axis(op, axis, x.rank());
        int last = x.rank() - 1;
        if (at != last) {
            int[] axes = new int[x.rank()];
            for (int i = 0; i <= last; i++) {
                axes[i] = i == at ? last : i == last ? at : i;
            }
            return alongLast(x.transpose(axes), last, op, kind, rule).transpose(axes);
        }
        boolean recorded = Tensor.recorded(x);
        Tensor y = Tensor.make(op, x.dtype, x.shape, recorded);
        launch(op, kind, x, null, null, RowWork.NONE, y);
        return recorded ? y.record(op, null, rule, x) : y;
    }

    /// `y·(g − Σ g·y)`
    private static Tensor softmaxGradient(Tensor g, Tensor y) {
        if (Tensor.recorded(g, y)) {
            return y.multiply(g.subtract(g.multiply(y).sum(-1, true)));
        }
        Tensor x = Tensor.make("softmaxGradient", g.dtype, g.shape, false);
        launch("softmaxGradient", RowWork.Kind.SOFTMAX_GRADIENT, g, y, null, RowWork.NONE, x);
        return x;
    }

    /// `g − eʸ·Σ g`
    private static Tensor logSoftmaxGradient(Tensor g, Tensor y) {
        if (Tensor.recorded(g, y)) {
            return g.subtract(y.exp().multiply(g.sum(-1, true)));
        }
        Tensor x = Tensor.make("logSoftmaxGradient", g.dtype, g.shape, false);
        launch("logSoftmaxGradient", RowWork.Kind.LOG_SOFTMAX_GRADIENT, g, y, null, RowWork.NONE, x);
        return x;
    }

    /// `g·(softmax(logits) − 1 at the label)` of each row, 0 where the label is ignored.
    private static Tensor crossEntropyGradient(Tensor g, Tensor logits, Tensor labels, long ignored) {
        boolean recorded = Tensor.recorded(g, logits);
        if (recorded && g.dtype != logits.dtype) {
            return crossEntropyGradient(g, logits.cast(g.dtype), labels, ignored)
                    .cast(logits.dtype);
        }
        Tensor y = Tensor.make("crossEntropyGradient", logits.dtype, logits.shape, recorded);
        launch("crossEntropyGradient", RowWork.Kind.CROSS_ENTROPY_GRADIENT, logits, g, labels, ignored, y);
        if (!recorded) {
            return y;
        }
        Rule toG = readsAllInputs((h, in) -> {
            Tensor label = counted(in[2], in[2], ignored);
            Tensor picked = h.gather(1, label.reshape(label.size(), 1)).reshape(label.size());
            return counted(h.multiply(in[1].softmax(1)).sum(1).subtract(picked), in[2], ignored);
        });
        Rule toLogits = readsAllInputs((h, in) -> {
            Tensor share = in[1].softmax(1);
            Tensor scaled = h.multiply(in[0].reshape(in[0].size(), 1));
            Tensor each = share.multiply(scaled.subtract(scaled.multiply(share).sum(1, true)));
            return counted(each, in[2].reshape(in[2].size(), 1), ignored);
        });
        return y.record("crossEntropyGradient", null, new Rule[] {toG, toLogits, null}, g, logits, labels);
    }

    /// Returns x with zeros where the label is ignored.
    private static Tensor counted(Tensor x, Tensor labels, long ignored) {
        return ignored == RowWork.NONE ? x : Tensor.where(labels.equalTo(ignored), Tensor.zeros(x.dtype), x);
    }

    private static void requireLabels(Tensor logits, Tensor labels, long ignored) {
        boolean whole = labels.dtype == DType.INT32 || labels.dtype == DType.INT64;
        boolean fits = logits.rank() == 2 && labels.rank() == 1 && labels.shape[0] == logits.shape[0];
        if (fits && !whole) {
            throw new IllegalArgumentException("crossEntropy: labels " + Shape.text(labels.shape) + " are "
                    + labels.dtype + "; cast them: labels.cast(DType.INT64)");
        }
        if (!fits || !whole) {
            throw new IllegalArgumentException("crossEntropy: logits " + Shape.text(logits.shape) + " and labels "
                    + Shape.text(labels.shape) + " " + labels.dtype
                    + " do not fit; they are [n, classes] and [n], INT32 or INT64 (crossEntropyLoss also takes"
                    + " probabilities of the logits' shape)");
        }
        if (!labels.storage.isAbstract()) {
            long classes = logits.shape[1];
            Recorder.check("crossEntropy", labels, each -> requireInRange(each, classes, ignored));
        }
    }

    private static void requireInRange(Tensor labels, long classes, long ignored) {
        for (long i = 0; i < labels.shape[0]; i++) {
            long label = labels.dtype.getLong(labels.storage.segment(), labels.offset + i * labels.strides[0]);
            if ((label < 0 || label >= classes) && (label != ignored || ignored == RowWork.NONE)) {
                throw new IllegalArgumentException("crossEntropy: label " + label + " at position " + i
                        + " is none of the " + classes + " classes, 0 to " + (classes - 1)
                        + (label < 0 ? "; to ignore such rows, give it as ignoreIndex" : ""));
            }
        }
    }

    /// Runs the kernel; operands whose rows it cannot read where they lie are copied for the call.
    private static void launch(
            String op, RowWork.Kind kind, Tensor a, Tensor b, Tensor labels, long ignored, Tensor y) {
        Tensor x = inRows(op, a);
        Tensor z = b == null || kind == RowWork.Kind.CROSS_ENTROPY_GRADIENT ? b : inRows(op, b);
        Launch.rows(kind, x, z, labels, ignored, y);
        x.freeCopyOf(a, op);
        if (z != null) {
            z.freeCopyOf(b, op);
        }
    }

    private static Tensor inRows(String op, Tensor t) {
        int last = t.rank() - 1;
        boolean readable = t.isContiguous() || (t.rank() == 2 && (t.strides[last] == 1 || t.shape[last] == 1));
        return readable ? t : t.contiguousCopy(op);
    }
}
