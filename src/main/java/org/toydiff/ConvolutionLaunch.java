package org.toydiff;

import static org.toydiff.Launch.memory;

import org.toydiff.internal.blas.CBlas;
import org.toydiff.internal.convolution.ConvolutionWork;
import org.toydiff.internal.convolution.Convolutions;
import org.toydiff.internal.convolution.Convolutions.Kind;
import org.toydiff.internal.kernels.BinaryKernel;

/// The part of [Launch] where convolutions start, with what follows them: a bias added, an activation. Shapes are
/// already checked and tensors contiguous, FLOAT32 or FLOAT64.
final class ConvolutionLaunch {
    private ConvolutionLaunch() {}

    /// Computes one of the three tensors from the two others. A bias, one element for each channel of the result, and
    /// an activation may be null.
    ///
    /// @param settings as those of [ConvolutionWork#of]
    static void run(
            Kind kind,
            Tensor image,
            Tensor weight,
            Tensor features,
            Tensor bias,
            Activation activation,
            long[] settings) {
        Tensor y = result(kind, image, weight, features);
        Scope scope = Scope.current();
        if (y.size() == 0 || Launch.skips(y, scope)) {
            return;
        }
        if (image.size() == 0) {
            // The weight's gradient over no images.
            Launch.fill(y, 0);
            return;
        }
        // One channel in each group: there are as many groups as channels.
        boolean depthwise = Convolutions.isDepthwise(weight.shape, image.shape[1]);
        if (!depthwise) {
            CBlas.require();
        }
        ConvolutionWork work = scope.convolutions.of(kind, depthwise);
        work.of(y.isWide(), image.shape, weight.shape, features.shape, settings);
        follow(work, bias, activation, y);
        work.run(memory(image), image.offset, memory(weight), weight.offset, memory(features), features.offset);
        if (scope.recorder != null) {
            record(scope.recorder, kind, image, weight, features, bias, activation, settings);
        }
    }

    private static Tensor result(Kind kind, Tensor image, Tensor weight, Tensor features) {
        return switch (kind) {
            case IMAGE -> image;
            case WEIGHT -> weight;
            case FEATURES -> features;
        };
    }

    private static void follow(ConvolutionWork work, Tensor bias, Activation activation, Tensor y) {
        if (bias != null) {
            BinaryKernel kernel = activation == null ? BinaryKernel.ADD : activation.afterBias;
            work.addBias(kernel.of(y.isWide()), memory(bias), bias.offset, bias.strides[0]);
        } else if (activation != null) {
            work.activate(activation.kernel.of(y.isWide()));
        }
    }

    private static void record(
            Recorder recorder,
            Kind kind,
            Tensor image,
            Tensor weight,
            Tensor features,
            Tensor bias,
            Activation activation,
            long[] settings) {
        Tensor y = result(kind, image, weight, features);
        Tensor to = recorder.writes(y);
        Tensor x = y == image ? to : recorder.reads(image);
        Tensor w = y == weight ? to : recorder.reads(weight);
        Tensor f = y == features ? to : recorder.reads(features);
        Tensor b = recorder.reads(bias);
        recorder.keep(y.storage.op, () -> run(kind, x, w, f, b, activation, settings), to);
    }

    /// Copies the patches of an image to a matrix `[n, channels·taps, positions]`, or adds those of a matrix up to an
    /// image (`back`).
    ///
    /// @param kernel the shape of a weight of one channel
    /// @param features the shape of the feature map, whatever its number of channels
    static void patches(boolean back, Tensor image, Tensor matrix, long[] kernel, long[] features, long[] settings) {
        Tensor y = back ? image : matrix;
        Scope scope = Scope.current();
        if (y.size() == 0 || Launch.skips(y, scope)) {
            return;
        }
        ConvolutionWork work = scope.convolutions.patches(back);
        work.of(y.isWide(), image.shape, kernel, features, settings);
        work.run(memory(image), image.offset, null, 0, memory(matrix), matrix.offset);
        if (scope.recorder != null) {
            Tensor from = scope.recorder.reads(back ? matrix : image);
            Tensor to = scope.recorder.writes(y);
            scope.recorder.keep(
                    y.storage.op,
                    () -> patches(back, back ? to : from, back ? from : to, kernel, features, settings),
                    to);
        }
    }
}
