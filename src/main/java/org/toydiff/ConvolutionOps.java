package org.toydiff;

import static org.toydiff.Rule.readsNothing;
import static org.toydiff.Rule.readsOtherAndShape;

import java.util.Arrays;
import java.util.Objects;
import org.toydiff.internal.convolution.Convolutions;
import org.toydiff.internal.convolution.Convolutions.Kind;
import org.toydiff.internal.kernels.CastKernels;
import org.toydiff.internal.kernels.Element;
import org.toydiff.internal.launch.Shape;

/// The convolutions of [Tensor] over one or two spatial axes, as PyTorch's: cross-correlations, whose kernel is not
/// flipped. Their settings are one number for each spatial axis, or one for all of them.
///
/// No matrix of all patches is made: the patches of some output positions at a time are gathered into up to 2 MiB for
/// each thread. A convolution, its gradient to the input and that to the weight are each other's gradients, so
/// derivatives of any order take no more. BFLOAT16 is computed as FLOAT32 and rounded once; operands that are BFLOAT16
/// or not contiguous are copied for the call.
public sealed interface ConvolutionOps permits Tensor {
    private Tensor self() {
        return (Tensor) this;
    }

    /// Convolution, `y[o, p] = Σ x[c, p·stride + k·dilation − padding]·weight[o, c, k] + bias[o]` over channels c and
    /// kernel positions k.
    ///
    /// **Shapes** `[n,in,length] · [out,in/groups,k] + [out] → [n,out,L]` with
    /// `L = ⌊(length + 2·padding − dilation·(k − 1) − 1) / stride⌋ + 1`; with two spatial axes likewise
    /// `[n,in,h,w] · [out,in/groups,kh,kw] → [n,out,H,W]`. Without the axis n it is one example.
    /// **Gradient** the transposed convolution of g with the weight to this, the products of g and this at each kernel
    /// position to the weight, the sums of g to the bias.
    /// **Memory** a new tensor in the innermost arena.
    ///
    /// @param weight the weight, of the same dtype
    /// @param bias the bias, of the same dtype, or null for none
    /// @param stride the distances between neighbouring output positions, positive
    /// @param padding the numbers of zeros before and after each axis, 0 or more
    /// @param dilation the distances between neighbouring kernel positions, positive
    /// @param groups the number of groups, positive: each group of output channels reads one of input channels
    /// @return a new tensor
    /// @throws IllegalArgumentException if the shapes do not fit, a setting is out of range or of another number than
    ///     there are axes, the kernel is larger than the padded input, or a size exceeds 2³¹ − 1
    default Tensor convolution(
            Tensor weight, Tensor bias, long[] stride, long[] padding, long[] dilation, long groups) {
        return convolution(self(), weight, bias, null, stride, padding, dilation, groups);
    }

    /// [#convolution] followed by an activation in the same pass: the activation's input is never stored. The gradients
    /// are those of the two ops.
    ///
    /// @param weight the weight, of the same dtype
    /// @param bias the bias, of the same dtype, or null for none
    /// @param stride the distances between neighbouring output positions, positive
    /// @param padding the numbers of zeros before and after each axis, 0 or more
    /// @param dilation the distances between neighbouring kernel positions, positive
    /// @param groups the number of groups, positive
    /// @param activation the activation of the result
    /// @return a new tensor
    /// @throws IllegalArgumentException if the shapes do not fit, a setting is out of range or of another number than
    ///     there are axes, the kernel is larger than the padded input, or a size exceeds 2³¹ − 1
    default Tensor convolution(
            Tensor weight,
            Tensor bias,
            long[] stride,
            long[] padding,
            long[] dilation,
            long groups,
            Activation activation) {
        Objects.requireNonNull(activation, "activation");
        return convolution(self(), weight, bias, activation, stride, padding, dilation, groups);
    }

    private static Tensor convolution(
            Tensor x,
            Tensor weight,
            Tensor bias,
            Activation activation,
            long[] stride,
            long[] padding,
            long[] dilation,
            long groups) {
        String op = "convolution";
        if (isSingle(x, weight)) {
            return convolution(x.unsqueeze(0), weight, bias, activation, stride, padding, dilation, groups)
                    .squeeze(0);
        }
        requireOperands(op, x, weight, bias);
        long[] settings = settings(op, x.shape, stride, padding, dilation, groups);
        requireChannels(op, x, weight, weight.shape[1] * groups, bias, weight.shape[0], groups);
        long[] shape = x.shape.clone();
        shape[1] = weight.shape[0];
        for (int axis = 2; axis < shape.length; axis++) {
            shape[axis] = outputSize(op, x.shape, axis, weight.shape[axis], settings);
        }
        requireCountable(op, x, shape, 2);
        Tensor b = bias == null ? null : Autocast.toBfloat16(bias);
        return features(op, Autocast.toBfloat16(x), Autocast.toBfloat16(weight), b, activation, shape, settings);
    }

    /// Transposed convolution: the gradient of a convolution to its input, as an op. Each element of this adds a
    /// multiple of the kernel to the result.
    ///
    /// **Shapes** `[n,in,length] · [in,out/groups,k] + [out] → [n,out,L]` with
    /// `L = (length − 1)·stride − 2·padding + dilation·(k − 1) + outputPadding + 1`; with two spatial axes likewise.
    /// Without the axis n it is one example.
    /// **Gradient** the convolution of g with the weight to this, the products of g and this at each kernel position to
    /// the weight, the sums of g to the bias.
    /// **Memory** a new tensor in the innermost arena.
    ///
    /// @param weight the weight, of the same dtype
    /// @param bias the bias, of the same dtype, or null for none
    /// @param stride the distances in the result between the kernels of neighbouring elements, positive
    /// @param padding the numbers of positions that are left out at either end of each axis, 0 or more
    /// @param dilation the distances between neighbouring kernel positions, positive
    /// @param outputPadding the numbers of further positions at the end of each axis, 0 or more, less than the stride
    ///     or the dilation: the same input sizes of a convolution with a stride have the same output size
    /// @param groups the number of groups, positive
    /// @return a new tensor
    /// @throws IllegalArgumentException if the shapes do not fit, a setting is out of range or of another number than
    ///     there are axes, nothing is left of an axis, or a size exceeds 2³¹ − 1
    default Tensor transposedConvolution(
            Tensor weight,
            Tensor bias,
            long[] stride,
            long[] padding,
            long[] dilation,
            long[] outputPadding,
            long groups) {
        String op = "transposedConvolution";
        Tensor x = self();
        if (isSingle(x, weight)) {
            return x.unsqueeze(0)
                    .transposedConvolution(weight, bias, stride, padding, dilation, outputPadding, groups)
                    .squeeze(0);
        }
        requireOperands(op, x, weight, bias);
        long[] settings = settings(op, x.shape, stride, padding, dilation, groups);
        long[] more = new long[2];
        set(op, "outputPadding", outputPadding, 0, x.shape, more, 0);
        requireChannels(op, x, weight, weight.shape[0], bias, weight.shape[1] * groups, groups);
        long[] shape = x.shape.clone();
        shape[1] = weight.shape[1] * groups;
        for (int axis = 2; axis < shape.length; axis++) {
            shape[axis] = inputSize(op, x, axis, weight.shape[axis], more, settings);
        }
        requireCountable(op, x, shape, 2);
        Tensor b = bias == null ? null : Autocast.toBfloat16(bias);
        return image(op, Autocast.toBfloat16(x), Autocast.toBfloat16(weight), b, shape, settings);
    }

    /// Returns the patches of an image that a convolution would multiply by its weight, as columns.
    ///
    /// **Shapes** `[n,channels,h,w] → [n,channels·kh·kw,H·W]` with H and W as in [#convolution].
    /// **Gradient** [#fold] of g.
    /// **Memory** a new tensor of up to `kh·kw` times the image's size: [#convolution] does without.
    ///
    /// @param kernel the sizes of a patch, positive
    /// @param dilation the distances between neighbouring positions of a patch, positive
    /// @param padding the numbers of zeros before and after each axis, 0 or more
    /// @param stride the distances between neighbouring patches, positive
    /// @return a new tensor
    /// @throws IllegalArgumentException if this is not `[n,channels,h,w]`, a setting is out of range or of another
    ///     number than there are axes, a patch is larger than the padded image, or a size exceeds 2³¹ − 1
    default Tensor unfold(long[] kernel, long[] dilation, long[] padding, long[] stride) {
        String op = "unfold";
        Tensor x = self();
        x.requireFloating(op);
        if (x.rank() != 4) {
            throw new IllegalArgumentException(
                    op + ": " + Shape.text(x.shape) + " is not [n, channels, h, w]; reshape it");
        }
        requireNotEmpty(op, x);
        long[] taps = new long[2];
        set(op, "kernel", kernel, 1, x.shape, taps, 0);
        long[] settings = settings(op, x.shape, stride, padding, dilation, 1);
        long[] shape = {
            x.shape[0],
            // At most 2³¹ − 1 channels, of as many weights at the most, before it is known to be no more.
            x.shape[1] * Math.min(taps[0] * taps[1], Integer.MAX_VALUE),
            outputSize(op, x.shape, 2, taps[0], settings),
            outputSize(op, x.shape, 3, taps[1], settings)
        };
        requireCountable(op, x, shape, 2);
        return unfold(x, taps, shape, settings);
    }

    /// Sums patches into an image, each element at the place from which [#unfold] takes it: elements of overlapping
    /// patches are added, and places that no patch covers are 0.
    ///
    /// **Shapes** `[n,channels·kh·kw,H·W] → [n,channels,h,w]`.
    /// **Gradient** [#unfold] of g.
    /// **Memory** a new tensor.
    ///
    /// @param size the sizes h and w of the image, positive
    /// @param kernel the sizes of a patch, positive
    /// @param dilation the distances between neighbouring positions of a patch, positive
    /// @param padding the numbers of zeros around the image that patches reach into, 0 or more
    /// @param stride the distances between neighbouring patches, positive
    /// @return a new tensor
    /// @throws IllegalArgumentException if this is not the shape of the patches of such an image, a setting is out of
    ///     range or of another number than there are axes, or a size exceeds 2³¹ − 1
    default Tensor fold(long[] size, long[] kernel, long[] dilation, long[] padding, long[] stride) {
        String op = "fold";
        Tensor x = self();
        x.requireFloating(op);
        if (x.rank() != 3) {
            throw new IllegalArgumentException(
                    op + ": " + Shape.text(x.shape) + " is not [n, channels·kh·kw, patches]; reshape it");
        }
        requireNotEmpty(op, x);
        long[] image = new long[2];
        long[] taps = new long[2];
        long[] plane = {x.shape[0], x.shape[1], x.shape[2], 1};
        set(op, "size", size, 1, plane, image, 0);
        set(op, "kernel", kernel, 1, plane, taps, 0);
        long[] settings = settings(op, plane, stride, padding, dilation, 1);
        return fold(x, image, taps, settings);
    }

    // The ops of the graph.

    /// The feature map of an image, through an activation, which may be null like the bias: two nodes that share one
    /// block, because no rule reads the activation's input.
    private static Tensor features(
            String op, Tensor x, Tensor weight, Tensor bias, Activation activation, long[] shape, long[] s) {
        boolean recorded = bias == null ? Tensor.recorded(x, weight) : Tensor.recorded(x, weight, bias);
        Tensor y = compute(op, Kind.FEATURES, x, weight, bias, activation, shape, s, recorded);
        if (recorded) {
            Rule toImage = readsOtherAndShape((g, w, to) -> imageGradient(g, w, to, s));
            Rule toWeight = readsOtherAndShape((g, image, to) -> weightGradient(image, g, to, s));
            record(op, y, toImage, toWeight, x, weight, bias);
        }
        if (activation == null) {
            return y;
        }
        Tensor activated = y.view();
        return recorded ? activated.record(activation.op, null, activation.rules, y) : activated;
    }

    /// The image that the feature map x is the gradient to.
    private static Tensor image(String op, Tensor x, Tensor weight, Tensor bias, long[] shape, long[] s) {
        boolean recorded = bias == null ? Tensor.recorded(x, weight) : Tensor.recorded(x, weight, bias);
        Tensor y = compute(op, Kind.IMAGE, x, weight, bias, null, shape, s, recorded);
        if (recorded) {
            Rule toFeatures = readsOtherAndShape((g, w, to) -> features("convolution", g, w, null, null, to, s));
            Rule toWeight = readsOtherAndShape((g, features, to) -> weightGradient(g, features, to, s));
            record(op, y, toFeatures, toWeight, x, weight, bias);
        }
        return y;
    }

    private static Tensor imageGradient(Tensor g, Tensor weight, long[] shape, long[] s) {
        return image("convolutionInput", g, weight, null, shape, s);
    }

    /// The gradient to a weight of that shape, from an image and a feature map.
    private static Tensor weightGradient(Tensor image, Tensor features, long[] shape, long[] s) {
        String op = "convolutionWeight";
        boolean recorded = Tensor.recorded(image, features);
        Tensor y = compute(op, Kind.WEIGHT, image, features, null, null, shape, s, recorded);
        if (recorded) {
            Rule toImage = readsOtherAndShape((g, other, to) -> imageGradient(other, g, to, s));
            Rule toFeatures =
                    readsOtherAndShape((g, other, to) -> features("convolution", other, g, null, null, to, s));
            record(op, y, toImage, toFeatures, image, features, null);
        }
        return y;
    }

    private static void record(String op, Tensor y, Rule toA, Rule toB, Tensor a, Tensor b, Tensor bias) {
        if (bias == null) {
            y.record(op, null, toA, toB, a, b);
        } else {
            y.record(op, null, new Rule[] {toA, toB, readsNothing(g -> biasGradient(g))}, a, b, bias);
        }
    }

    /// The sums over positions, then over examples: reductions that read g where it lies.
    private static Tensor biasGradient(Tensor g) {
        boolean[] positions = new boolean[g.rank()];
        Arrays.fill(positions, 2, g.rank(), true);
        return Families.sum(Families.sum(g, positions, false), new boolean[] {true, false}, false);
    }

    private static Tensor unfold(Tensor x, long[] taps, long[] features, long[] s) {
        boolean recorded = Tensor.recorded(x);
        long[] shape = {features[0], features[1], features[2] * features[3]};
        Tensor y = patches("unfold", false, x, taps, features, shape, s, recorded);
        if (!recorded) {
            return y;
        }
        long[] image = {x.shape[2], x.shape[3]};
        return y.record("unfold", null, readsNothing(g -> fold(g, image, taps, s)), x);
    }

    private static Tensor fold(Tensor x, long[] image, long[] taps, long[] s) {
        String op = "fold";
        long each = taps[0] * taps[1];
        long[] shape = {x.shape[0], x.shape[1] / each, image[0], image[1]};
        long[] features = {x.shape[0], x.shape[1], 0, 0};
        for (int axis = 2; axis < 4; axis++) {
            features[axis] = outputSize(op, shape, axis, taps[axis - 2], s);
        }
        if (x.shape[1] % each != 0 || x.shape[2] != features[2] * features[3]) {
            throw new IllegalArgumentException(op + ": " + Shape.text(x.shape) + " is not [n, channels·" + each + ", "
                    + features[2] * features[3] + "], the patches " + Shape.text(taps) + " of an image "
                    + Shape.text(image));
        }
        requireCountable(op, x, shape, 2);
        boolean recorded = Tensor.recorded(x);
        Tensor y = patches(op, true, x, taps, features, shape, s, recorded);
        return recorded ? y.record(op, null, readsNothing(g -> unfold(g, taps, features, s)), x) : y;
    }

    // Computing.

    /// Computes a new tensor of that shape from two operands, in the order of image, weight and features.
    private static Tensor compute(
            String op,
            Kind kind,
            Tensor a,
            Tensor b,
            Tensor bias,
            Activation activation,
            long[] shape,
            long[] settings,
            boolean recorded) {
        Tensor x = operand(op, a);
        Tensor z = operand(op, b);
        Tensor c = bias == null || bias.dtype != DType.BFLOAT16 ? bias : Families.cast(bias, DType.FLOAT32);
        Tensor y = Tensor.make(op, a.dtype, shape, recorded);
        Tensor to = y.dtype == DType.BFLOAT16 ? Tensor.make(op, DType.FLOAT32, shape, true) : y;
        switch (kind) {
            case FEATURES -> ConvolutionLaunch.run(kind, x, z, to, c, activation, settings);
            case IMAGE -> ConvolutionLaunch.run(kind, to, z, x, c, activation, settings);
            case WEIGHT -> ConvolutionLaunch.run(kind, x, to, z, c, activation, settings);
        }
        x.freeCopyOf(a, op);
        z.freeCopyOf(b, op);
        if (c != null) {
            c.freeCopyOf(bias, op);
        }
        return rounded(op, to, y);
    }

    private static Tensor patches(
            String op,
            boolean back,
            Tensor from,
            long[] taps,
            long[] features,
            long[] shape,
            long[] settings,
            boolean recorded) {
        Tensor x = operand(op, from);
        Tensor y = Tensor.make(op, from.dtype, shape, recorded);
        Tensor to = y.dtype == DType.BFLOAT16 ? Tensor.make(op, DType.FLOAT32, shape, true) : y;
        long[] kernel = {1, 1, taps[0], taps[1]};
        ConvolutionLaunch.patches(back, back ? to : x, back ? x : to, kernel, features, settings);
        x.freeCopyOf(from, op);
        return rounded(op, to, y);
    }

    /// The operand, or a copy for the length of the op that kernels can read.
    private static Tensor operand(String op, Tensor t) {
        return t.dtype == DType.BFLOAT16 ? Families.cast(t, DType.FLOAT32) : t.contiguous(op);
    }

    /// Returns y, rounded from `computed` if that is another tensor, which is freed.
    private static Tensor rounded(String op, Tensor computed, Tensor y) {
        if (computed != y) {
            Launch.unary(CastKernels.of(Element.FLOAT32, Element.BFLOAT16), computed, y);
            computed.freeScratch(op);
        }
        return y;
    }

    // Checks.

    /// Whether x is one example, without the axis of a batch.
    private static boolean isSingle(Tensor x, Tensor weight) {
        return (weight.rank() == 3 || weight.rank() == 4) && x.rank() == weight.rank() - 1;
    }

    private static void requireOperands(String op, Tensor x, Tensor weight, Tensor bias) {
        x.requireOperand(op, weight);
        if (bias != null) {
            x.requireOperand(op, bias);
        }
        if (x.rank() != weight.rank() || x.rank() < 3 || x.rank() > 4) {
            throw new IllegalArgumentException(op + ": x " + Shape.text(x.shape) + " and weight "
                    + Shape.text(weight.shape)
                    + " do not fit; they are [n, channels, length] and a weight of three axes, or [n, channels, h, w]"
                    + " and one of four");
        }
        requireNotEmpty(op, x);
        if (Shape.empty(weight.shape)) {
            throw new IllegalArgumentException(
                    op + ": weight " + Shape.text(weight.shape) + " is empty; give each axis one position or more");
        }
        requireCountable(op, x, weight.shape, 1);
    }

    /// Throws, naming `op`, if there is nothing in an example.
    private static void requireNotEmpty(String op, Tensor x) {
        for (int axis = 1; axis < x.rank(); axis++) {
            if (x.shape[axis] == 0) {
                throw new IllegalArgumentException(op + ": " + Shape.text(x.shape) + " has size 0 along axis " + axis
                        + "; only the first axis may be empty");
            }
        }
        requireCountable(op, x, x.shape, 2);
    }

    private static void requireChannels(
            String op, Tensor x, Tensor weight, long in, Tensor bias, long out, long groups) {
        if (x.shape[1] != in || in % groups != 0 || out % groups != 0) {
            throw new IllegalArgumentException(op + ": x " + Shape.text(x.shape) + ", weight "
                    + Shape.text(weight.shape) + " and groups " + groups + " do not fit: axis 1 of x has " + x.shape[1]
                    + " channels, and the weight takes " + in + " to " + out + "; groups divide both");
        }
        if (bias != null && (bias.rank() != 1 || bias.shape[0] != out)) {
            throw new IllegalArgumentException(
                    op + ": bias " + Shape.text(bias.shape) + " is not [" + out + "], one for each output channel");
        }
    }

    private static long[] settings(
            String op, long[] shape, long[] stride, long[] padding, long[] dilation, long groups) {
        long[] settings = new long[Convolutions.SETTINGS];
        set(op, "stride", stride, 1, shape, settings, Convolutions.STRIDE);
        set(op, "padding", padding, 0, shape, settings, Convolutions.PADDING);
        set(op, "dilation", dilation, 1, shape, settings, Convolutions.DILATION);
        if (groups < 1 || groups > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    op + ": " + groups + " groups are out of range; give 1 to " + Integer.MAX_VALUE);
        }
        settings[Convolutions.GROUPS] = groups;
        return settings;
    }

    /// Stores a setting along y and x from index `at` on, that along x last.
    private static void set(String op, String name, long[] values, long least, long[] shape, long[] to, int at) {
        int axes = shape.length - 2;
        boolean fits = values.length == 1 || values.length == axes;
        for (long value : values) {
            fits &= value >= least && value <= Integer.MAX_VALUE;
        }
        if (!fits) {
            throw new IllegalArgumentException(op + ": " + name + " " + Arrays.toString(values) + " for "
                    + Shape.text(shape) + "; give one number for all axes or " + axes + ", each from " + least
                    + " to " + Integer.MAX_VALUE);
        }
        for (int i = 0; i < axes; i++) {
            to[at + 2 - axes + i] = values[values.length == 1 ? 0 : i];
        }
    }

    /// The number of output positions along an axis of an image.
    private static long outputSize(String op, long[] image, int axis, long taps, long[] settings) {
        int i = axis + 2 - image.length;
        long padded = image[axis] + 2 * settings[Convolutions.PADDING + i];
        long span = settings[Convolutions.DILATION + i] * (taps - 1) + 1;
        if (span > padded) {
            throw new IllegalArgumentException(op + ": a kernel that spans " + span + " positions along axis " + axis
                    + " does not fit into " + Shape.text(image) + ", which has " + padded
                    + " with its padding; pad more");
        }
        return (padded - span) / settings[Convolutions.STRIDE + i] + 1;
    }

    /// The size along an axis of the image that a transposed convolution makes.
    private static long inputSize(String op, Tensor x, int axis, long taps, long[] more, long[] settings) {
        int i = axis + 2 - x.rank();
        if (more[i] >= Math.max(settings[Convolutions.STRIDE + i], settings[Convolutions.DILATION + i])) {
            throw new IllegalArgumentException(op + ": outputPadding " + more[i] + " along axis " + axis + " of "
                    + Shape.text(x.shape) + " must be less than the stride or the dilation");
        }
        long positions = (x.shape[axis] - 1) * settings[Convolutions.STRIDE + i] + 1;
        long span = settings[Convolutions.DILATION + i] * (taps - 1);
        long size = positions + span + more[i] - 2 * settings[Convolutions.PADDING + i];
        if (size < 1) {
            throw new IllegalArgumentException(op + ": nothing is left of axis " + axis + " of " + Shape.text(x.shape)
                    + " with padding " + settings[Convolutions.PADDING + i] + " (size " + size + "); pad less");
        }
        return size;
    }

    /// Throws, naming `op`, if a size, or the product of those from axis `first` on, is more than BLAS counts.
    private static void requireCountable(String op, Tensor x, long[] shape, int first) {
        boolean fits = true;
        for (long size : shape) {
            fits &= size <= Integer.MAX_VALUE;
        }
        long inner = 1;
        for (int axis = first; fits && axis < shape.length; axis++) {
            inner *= shape[axis];
        }
        if (!fits || inner > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(op + ": " + Shape.text(x.shape) + " would need a tensor "
                    + Shape.text(shape) + ", and BLAS counts no further than 2^31 - 1 along an axis; slice it");
        }
        Shape.checked(op, x.dtype.bytes(), shape);
    }
}
