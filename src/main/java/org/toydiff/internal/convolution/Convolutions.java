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

    /// {@return the work for a result}
    ///
    /// @param depthwise whether each group has one channel
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
