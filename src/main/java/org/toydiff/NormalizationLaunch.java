package org.toydiff;

import static org.toydiff.Launch.memory;
import static org.toydiff.Launch.offset;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.toydiff.CommandFusion.Streamed;
import org.toydiff.internal.launch.ElementSink;
import org.toydiff.internal.launch.ElementSource;
import org.toydiff.internal.launch.RowStream;
import org.toydiff.internal.normalization.GroupNormalizationWork;
import org.toydiff.internal.normalization.NormalizationWork;
import org.toydiff.internal.normalization.RowNormalizationWork;

/// Where normalisations start. Operands are contiguous and of one dtype, FLOAT32 or FLOAT64; outputs are made.
final class NormalizationLaunch {
    /// The shortest run of a channel for which kernels over runs pay; shorter ones are normalised by elementwise
    /// ops and reductions, which keep some tensors of the input's size.
    static final long SHORTEST_RUN = 16;

    private NormalizationLaunch() {}

    /// `y = x` normalised by rows of as many elements as the weight; without a bias the mean is not subtracted.
    static void rows(Tensor x, Tensor weight, Tensor bias, double epsilon, Tensor y) {
        Scope scope = Scope.current();
        if (y.size() == 0 || Launch.skips(y, scope)) {
            return;
        }
        rows(x, weight, bias, epsilon, null, memory(y), y.offset);
        Recorder recorder = scope.recorder;
        if (recorder != null) {
            Tensor from = recorder.reads(x);
            Tensor by = recorder.reads(weight);
            Tensor plus = recorder.reads(bias);
            Tensor to = recorder.writes(y);
            recorder.keep(y.storage.op, new Rows(from, by, plus, epsilon, to), to);
        }
    }

    private static void rows(
            Tensor x, Tensor weight, Tensor bias, double epsilon, ElementSink sink, MemorySegment y, long yAt) {
        RowNormalizationWork work = Scope.current().rowNormalizations;
        set(work, x, weight, epsilon);
        if (bias != null) {
            work.bias(memory(bias), bias.offset);
        }
        work.result(y, yAt);
        work.pass(sink);
        work.forward(bias != null, x.size() / weight.size(), weight.size());
    }

    /// A recorded launch over rows.
    private record Rows(Tensor x, Tensor weight, Tensor bias, double epsilon, Tensor y) implements Streamed {
        @Override
        public Tensor result() {
            return y;
        }

        @Override
        public boolean isTaken() {
            return RowStream.fits(weight.size(), x.isWide());
        }

        @Override
        public List<Tensor> aligned() {
            return List.of(x);
        }

        @Override
        public void run(ElementSource source, ElementSink sink, MemorySegment y, long yAt) {
            rows(x, weight, bias, epsilon, sink, y, yAt);
        }
    }

    /// The gradients of [#rows] that are not null: to x, and in [RowNormalizationWork#parts] rows, to be added up, to
    /// the weight and the bias.
    static void rowGradients(
            boolean centered,
            Tensor g,
            Tensor x,
            Tensor weight,
            double epsilon,
            Tensor toX,
            Tensor toWeight,
            Tensor toBias) {
        Scope scope = Scope.current();
        if (x.size() == 0 || Launch.skips(g, scope)) {
            return;
        }
        rowGradients(centered, g, x, weight, epsilon, null, memory(toX), offset(toX), toWeight, toBias);
        Recorder recorder = scope.recorder;
        if (recorder != null) {
            Tensor from = recorder.reads(g);
            Tensor at = recorder.reads(x);
            Tensor by = recorder.reads(weight);
            Tensor first = recorder.writes(toX);
            Tensor second = recorder.writes(toWeight);
            Tensor third = recorder.writes(toBias);
            recorder.keep(
                    "normalizeGradient",
                    new RowGradients(centered, from, at, by, epsilon, first, second, third),
                    first != null ? first : second != null ? second : third);
        }
    }

    private static void rowGradients(
            boolean centered,
            Tensor g,
            Tensor x,
            Tensor weight,
            double epsilon,
            ElementSink sink,
            MemorySegment toX,
            long toXAt,
            Tensor toWeight,
            Tensor toBias) {
        RowNormalizationWork work = Scope.current().rowNormalizations;
        set(work, x, weight, epsilon);
        work.result(toX, toXAt);
        setGradients(work, g, toWeight, toBias);
        work.pass(sink);
        work.backward(centered, x.size() / weight.size(), weight.size());
    }

    /// A recorded launch of the gradients of rows.
    private record RowGradients(
            boolean centered,
            Tensor g,
            Tensor x,
            Tensor weight,
            double epsilon,
            Tensor toX,
            Tensor toWeight,
            Tensor toBias)
            implements Streamed {
        @Override
        public Tensor result() {
            return toX;
        }

        @Override
        public boolean isTaken() {
            return toX != null && RowStream.fits(weight.size(), x.isWide());
        }

        @Override
        public List<Tensor> aligned() {
            return List.of(g, x);
        }

        @Override
        public void run(ElementSource source, ElementSink sink, MemorySegment y, long yAt) {
            rowGradients(centered, g, x, weight, epsilon, sink, y, yAt, toWeight, toBias);
        }
    }

    /// `y = x` normalised by groups of `[images, groups, channels, length]`; mean and variance are those of each
    /// group over all images, or null for groups of one image.
    static void groups(
            long[] sizes,
            Tensor x,
            Tensor weight,
            Tensor bias,
            double epsilon,
            Tensor y,
            Tensor mean,
            Tensor variance) {
        Scope scope = Scope.current();
        if (y.size() == 0 || Launch.skips(y, scope)) {
            return;
        }
        GroupNormalizationWork work = scope.groupNormalizations;
        set(work, x, weight, epsilon);
        work.bias(memory(bias), bias.offset);
        work.result(memory(y), y.offset);
        setStatistics(work, mean, variance);
        work.forward(mean != null, sizes[0], sizes[1], sizes[2], sizes[3]);
        Recorder recorder = scope.recorder;
        if (recorder != null) {
            Tensor from = recorder.reads(x);
            Tensor by = recorder.reads(weight);
            Tensor plus = recorder.reads(bias);
            Tensor to = recorder.writes(y);
            Tensor first = recorder.writes(mean);
            Tensor second = recorder.writes(variance);
            recorder.keep(y.storage.op, () -> groups(sizes, from, by, plus, epsilon, to, first, second), to);
        }
    }

    /// The gradients of [#groups] that are not null: to x, and to weight and bias in a row for each image, or in
    /// one over all images.
    static void groupGradients(
            long[] sizes,
            Tensor g,
            Tensor x,
            Tensor weight,
            double epsilon,
            Tensor mean,
            Tensor variance,
            Tensor toX,
            Tensor toWeight,
            Tensor toBias) {
        Scope scope = Scope.current();
        if (x.size() == 0 || Launch.skips(g, scope)) {
            return;
        }
        GroupNormalizationWork work = scope.groupNormalizations;
        set(work, x, weight, epsilon);
        work.result(memory(toX), offset(toX));
        setGradients(work, g, toWeight, toBias);
        setStatistics(work, mean, variance);
        work.backward(mean != null, sizes[0], sizes[1], sizes[2], sizes[3]);
        Recorder recorder = scope.recorder;
        if (recorder != null) {
            Tensor from = recorder.reads(g);
            Tensor at = recorder.reads(x);
            Tensor by = recorder.reads(weight);
            Tensor center = recorder.reads(mean);
            Tensor spread = recorder.reads(variance);
            Tensor first = recorder.writes(toX);
            Tensor second = recorder.writes(toWeight);
            Tensor third = recorder.writes(toBias);
            recorder.keep(
                    "normalizeGradient",
                    () -> groupGradients(sizes, from, at, by, epsilon, center, spread, first, second, third),
                    first != null ? first : second != null ? second : third);
        }
    }

    private static void setStatistics(GroupNormalizationWork work, Tensor mean, Tensor variance) {
        if (mean != null) {
            work.statistics(memory(mean), mean.offset, memory(variance), variance.offset);
        }
    }

    private static void set(NormalizationWork work, Tensor x, Tensor weight, double epsilon) {
        work.input(x.isWide(), epsilon, memory(x), x.offset);
        work.weight(memory(weight), weight.offset);
    }

    private static void setGradients(NormalizationWork work, Tensor g, Tensor toWeight, Tensor toBias) {
        work.gradient(memory(g), g.offset);
        if (toWeight != null) {
            work.toWeight(memory(toWeight), toWeight.offset);
        }
        if (toBias != null) {
            work.toBias(memory(toBias), toBias.offset);
        }
    }
}
