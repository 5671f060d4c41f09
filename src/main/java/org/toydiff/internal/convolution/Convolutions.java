package org.toydiff.internal.convolution;

/// The convolutions of one thread, an object of each kind.
public final class Convolutions {
    /// The result of a convolution or of a gradient of one, from the two other tensors.
    public enum Kind {
        /// The feature map, from image and weight.
        FEATURES,
        /// The image's gradient, from weight and feature map.
        IMAGE,
        /// The weight's gradient, from image and feature map.
        WEIGHT
    }

    // The indices of the settings of a convolution: along y, and along x one further.
    public static final int STRIDE = 0;

    /// The padding before the first element.
    public static final int PADDING = 2;

    public static final int DILATION = 4;
    public static final int GROUPS = 6;

    /// The number of settings.
    public static final int SETTINGS = 7;

    /// The most filters that read one channel without a product: with more of them, one product is faster than a
    /// pass for each weight.
    private static final long MOST_FILTERS = 3;

    private final ConvolutionWork features = new FeatureWork();
    private final ConvolutionWork images = new ImageWork();
    private final ConvolutionWork weights = new WeightWork();
    private final ConvolutionWork unfold = new PatchWork(false);
    private final ConvolutionWork fold = new PatchWork(true);
    private final ConvolutionWork depthwiseFeatures = new DepthwiseWork(DepthwiseWork.Result.FEATURES);
    private final ConvolutionWork depthwiseImages = new DepthwiseWork(DepthwiseWork.Result.IMAGE);
    private final ConvolutionWork depthwiseWeights = new DepthwiseWork(DepthwiseWork.Result.WEIGHT);

    /// Creates the objects of a thread.
    public Convolutions() {}

    /// {@return whether a convolution is computed without products}
    ///
    /// @param weight the shape of the weight
    public static boolean isDepthwise(long[] weight, long groups) {
        return weight[1] == 1 && weight[0] / groups <= MOST_FILTERS;
    }

    /// {@return the work for a result}
    public ConvolutionWork of(Kind kind, boolean depthwise) {
        return switch (kind) {
            case FEATURES -> depthwise ? depthwiseFeatures : features;
            case IMAGE -> depthwise ? depthwiseImages : images;
            case WEIGHT -> depthwise ? depthwiseWeights : weights;
        };
    }

    /// {@return the work that gathers the patches of images in place of features, or adds them up to images (`back`)}
    public ConvolutionWork patches(boolean back) {
        return back ? fold : unfold;
    }
}
