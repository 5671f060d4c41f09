package org.toydiff.data;

/// Bilinear resizing that averages where it shrinks: the weights of the old pixels around the centre of a new one
/// form a triangle, as wide as two new pixels where the image shrinks and as two old ones where it grows.
///
/// Source: the convolution of Pillow's `Image.resize` with BILINEAR,
/// https://pillow.readthedocs.io/en/stable/handbook/concepts.html#filters, and PyTorch's `interpolate` with
/// `antialias=True`.
final class Resampling {
    private Resampling() {}

    static float[] resize(float[] planes, int channels, int height, int width, int newHeight, int newWidth) {
        // The order with the smaller intermediate image, which is then no larger than the larger of the two images.
        if ((long) height * newWidth <= (long) newHeight * width) {
            float[] wide = along(planes, channels * height, width, newWidth, 1);
            return along(wide, channels, height, newHeight, newWidth);
        }
        float[] high = along(planes, channels, height, newHeight, width);
        return along(high, channels * newHeight, width, newWidth, 1);
    }

    /// Resizes the middle axis of `[outer, size, inner]`.
    private static float[] along(float[] x, int outer, int size, int newSize, int inner) {
        if (size == newSize) {
            return x;
        }
        float[] y = new float[outer * newSize * inner];
        double scale = (double) size / newSize;
        double reach = Math.max(scale, 1);
        double[] weights = new double[(int) Math.ceil(reach) * 2 + 1];
        for (int i = 0; i < newSize; i++) {
            double centre = (i + 0.5) * scale;
            int from = Math.max(0, (int) (centre - reach + 0.5));
            int to = Math.min(size, (int) (centre + reach + 0.5));
            weigh(weights, from, to, centre, reach);
            for (int o = 0; o < outer; o++) {
                for (int j = 0; j < inner; j++) {
                    double sum = 0;
                    for (int k = from; k < to; k++) {
                        sum += weights[k - from] * x[(o * size + k) * inner + j];
                    }
                    y[(o * newSize + i) * inner + j] = (float) sum;
                }
            }
        }
        return y;
    }

    private static void weigh(double[] weights, int from, int to, double centre, double reach) {
        double sum = 0;
        for (int k = from; k < to; k++) {
            weights[k - from] = Math.max(0, 1 - Math.abs((k + 0.5 - centre) / reach));
            sum += weights[k - from];
        }
        for (int k = from; k < to; k++) {
            weights[k - from] /= sum;
        }
    }
}
