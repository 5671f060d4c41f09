package org.toydiff.internal.convolution;

/// The sizes of a convolution of `images` by `filters`, in elements. Output position (y, x) reads the image at
/// `(y·strideY + i·dilationY − padY, x·strideX + j·dilationX − padX)` for each (i, j) of the kernel; outside the image
/// there are zeros.
///
/// The first `channels / groups` channels of the image belong to the first `filters / groups` filters, and so on.
final class Window {
    long images;
    long channels;
    long filters;
    long groups;
    long height;
    long width;
    long outHeight;
    long outWidth;
    long kernelHeight;
    long kernelWidth;
    long strideY;
    long strideX;
    long padY;
    long padX;
    long dilationY;
    long dilationX;

    /// Sets the sizes from the shapes of an image, a weight and a feature map, all with one or all with two spatial
    /// axes.
    ///
    /// @param settings those along y and x, and the groups, at the indices that [Convolutions] names; those along y do
    ///     not matter where there is one spatial axis
    void set(long[] image, long[] weight, long[] features, long[] settings) {
        boolean plane = image.length == 4;
        int x = image.length - 1;
        images = image[0];
        channels = image[1];
        filters = features[1];
        groups = settings[Convolutions.GROUPS];
        height = plane ? image[2] : 1;
        width = image[x];
        outHeight = plane ? features[2] : 1;
        outWidth = features[x];
        kernelHeight = plane ? weight[2] : 1;
        kernelWidth = weight[x];
        strideY = plane ? settings[Convolutions.STRIDE] : 1;
        strideX = settings[Convolutions.STRIDE + 1];
        padY = plane ? settings[Convolutions.PADDING] : 0;
        padX = settings[Convolutions.PADDING + 1];
        dilationY = plane ? settings[Convolutions.DILATION] : 1;
        dilationX = settings[Convolutions.DILATION + 1];
    }

    /// {@return the rows of a group's patch matrix: an element of the kernel in a channel each}
    long depth() {
        return channels / groups * taps();
    }

    /// {@return the elements of the kernel in one channel}
    long taps() {
        return kernelHeight * kernelWidth;
    }

    /// {@return the output positions}
    long positions() {
        return outHeight * outWidth;
    }

    /// {@return the elements of a channel of the image}
    long plane() {
        return height * width;
    }

    long filtersOfGroup() {
        return filters / groups;
    }

    long channelsOfGroup() {
        return channels / groups;
    }

    /// {@return whether the patch matrix is the image itself}
    boolean isPointwise() {
        return taps() == 1
                && strideY == 1
                && strideX == 1
                && padY == 0
                && padX == 0
                && height == outHeight
                && width == outWidth;
    }
}
