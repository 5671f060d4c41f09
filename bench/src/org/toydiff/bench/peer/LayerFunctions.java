package org.toydiff.bench.peer;

import java.util.List;
import java.util.Map;
import org.toydiff.Activation;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.nn.Functional;

/// Convolution, attention and recurrence, each forward and backward, and the training steps of nets of them, by name.
///
/// `bench/peers/torch_layers.py` has the same functions.
final class LayerFunctions {
    static final Map<String, TimedFunction.Definition> BY_NAME = Map.of(
            "conv2d", LayerFunctions::conv2d,
            "attention", LayerFunctions::attention,
            "attention-materialised", LayerFunctions::materialisedAttention,
            "lstm", LayerFunctions::lstm,
            "cnn", LayerFunctions::cnn,
            "chargpt", CharacterModel::training);

    private static final long[] ONE = {1, 1};
    private static final int CHANNELS = 64;
    private static final int IMAGE = 56;
    private static final int HEADS = 8;
    private static final int HEAD_WIDTH = 64;
    private static final int HIDDEN = 256;
    private static final int STEPS = 100;

    private LayerFunctions() {}

    private static Tensor convolution(Tensor x, Tensor weight, Tensor bias) {
        return x.convolution(weight, bias, ONE, ONE, ONE, 1);
    }

    /// 3×3, 64 channels to 64, of images of 56×56.
    private static TimedFunction conv2d(int images) {
        var parameters = new StartingParameters();
        Tensor weight = parameters.weight(CHANNELS, CHANNELS, 3, 3);
        Tensor bias = parameters.zeros(CHANNELS);
        return TimedFunction.block(
                x -> convolution(x, weight, bias),
                parameters.all(),
                TimedFunction.inputs(images, CHANNELS, IMAGE, IMAGE),
                TimedFunction.inputs(images, CHANNELS, IMAGE, IMAGE));
    }

    /// 8 heads of 64, batch 1.
    private static TimedFunction attention(int length) {
        List<Tensor> keyAndValue =
                List.of(heads(length).trackGradient(), heads(length).trackGradient());
        return TimedFunction.block(
                query -> query.scaledDotProductAttention(keyAndValue.get(0), keyAndValue.get(1), null, false),
                keyAndValue,
                heads(length),
                heads(length));
    }

    /// The same with all scores in memory.
    private static TimedFunction materialisedAttention(int length) {
        List<Tensor> keyAndValue =
                List.of(heads(length).trackGradient(), heads(length).trackGradient());
        double scale = 1 / Math.sqrt(HEAD_WIDTH);
        return TimedFunction.block(
                query -> query.matmul(keyAndValue.get(0).transpose(0, 1, 3, 2))
                        .multiply(scale)
                        .softmax(3)
                        .matmul(keyAndValue.get(1)),
                keyAndValue,
                heads(length),
                heads(length));
    }

    private static Tensor heads(int length) {
        return TimedFunction.inputs(1, HEADS, length, HEAD_WIDTH);
    }

    /// 256 inputs and hidden units, sequences of 100.
    private static TimedFunction lstm(int sequences) {
        var parameters = new StartingParameters();
        Tensor inputWeight = parameters.weight(4 * HIDDEN, HIDDEN);
        Tensor hiddenWeight = parameters.weight(4 * HIDDEN, HIDDEN);
        Tensor inputBias = parameters.zeros(4 * HIDDEN);
        Tensor hiddenBias = parameters.zeros(4 * HIDDEN);
        Tensor zeros = Tensor.zeros(sequences, HIDDEN);
        return TimedFunction.block(
                x -> x.lstm(zeros, zeros, inputWeight, hiddenWeight, inputBias, hiddenBias, null, null, false)
                        .getFirst(),
                parameters.all(),
                TimedFunction.inputs(STEPS, sequences, HIDDEN),
                TimedFunction.inputs(STEPS, sequences, HIDDEN));
    }

    /// Two convolutions with ReLU and pooling, and two linear layers, on images of 28×28.
    private static TimedFunction cnn(int images) {
        var parameters = new StartingParameters();
        Tensor first = parameters.weight(32, 1, 3, 3);
        Tensor firstBias = parameters.zeros(32);
        Tensor second = parameters.weight(64, 32, 3, 3);
        Tensor secondBias = parameters.zeros(64);
        Tensor hidden = parameters.weight(128, 64 * 7 * 7);
        Tensor hiddenBias = parameters.zeros(128);
        Tensor output = parameters.weight(10, 128);
        Tensor outputBias = parameters.zeros(10);
        Tensor labels = Tensor.empty(DType.INT32, images);
        StartingNumbers.writeLabels(labels.segment(), images);
        return TimedFunction.training(
                parameters.all(), TimedFunction.inputs(images, 1, 28, 28), labels, (x, wanted) -> {
                    Tensor y = pooledConvolution(pooledConvolution(x, first, firstBias), second, secondBias);
                    Tensor features = y.reshape(images, 64 * 7 * 7).linear(hidden, hiddenBias, Activation.RELU);
                    return Functional.crossEntropyLoss(features.linear(output, outputBias), wanted);
                });
    }

    private static Tensor pooledConvolution(Tensor x, Tensor weight, Tensor bias) {
        Tensor y = x.convolution(weight, bias, ONE, ONE, ONE, 1, Activation.RELU);
        return Functional.maxPool2d(y, 2, 2, 0);
    }
}
