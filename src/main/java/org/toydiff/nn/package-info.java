/// Layers, losses and initializers, built on the public API of `org.toydiff` alone.
///
/// | subject | files |
/// |---|---|
/// | base of all layers: parameters, children, state dicts, error paths | [Layer] |
/// | a state loaded in part | [IncompatibleKeys] |
/// | a layer's table of output shapes and bytes, and its settings as text | [Summary], `SummaryCalls`, `SettingText` |
/// | layers with parameters | [Linear], [Embedding] |
/// | convolutions | [Conv1d], [Conv2d], [ConvTranspose2d], [ConvolutionLayer], [PaddedConvolution] |
/// | normalisation | [LayerNorm], [RMSNorm], [GroupNorm], [BatchNorm1d], [BatchNorm2d] (`BatchNormLayer`) |
/// | recurrent layers and cells | [RNNBase]: [RNN], [LSTM], [GRU]; [RNNCell], [LSTMCell], [GRUCell] |
/// | their options, results and parameters | [RecurrentOptions], [RecurrentOutput], `RecurrentWeights` |
/// | attention, and the cache of generation | [MultiheadAttention], [TransformerEncoderLayer], [KeyValueCache] |
/// | positions | [PositionalEncoding], [RotaryEmbedding], `PositionTables` |
/// | layers made of layers | [Sequential], [Residual], [Checkpoint] |
/// | activations | [ReLU], [LeakyReLU], [PReLU], [ELU], [GELU], [SiLU], [Mish] |
/// | | [Hardswish], [Sigmoid], [Softplus], [Tanh] |
/// | activations along an axis | [Softmax], [LogSoftmax] |
/// | pooling | [MaxPool1d], [MaxPool2d], [AvgPool1d], [AvgPool2d] (`…PoolLayer`) |
/// | adaptive pooling, interpolation | [AdaptiveAvgPool1d], [AdaptiveAvgPool2d], [Upsample] ([Interpolation]) |
/// | other layers without parameters | [Dropout], [Dropout1d], [Dropout2d], [Flatten] |
/// | activations, losses and one-hot vectors as functions | [Functional] |
/// | losses | [Loss], [CrossEntropyLoss], [Reduction], [LossTerms] |
/// | initial values of parameters | [Initializers] |
///
/// **Memory and threads** Parameters live in the arena that was innermost when the layer was made, and a layer may
/// be used on any thread that the arena allows. The ops check shapes, lifetimes and threads.
///
/// **Dtype** Layers with parameters are FLOAT32, or of the dtype that a constructor takes first; the others
/// return the dtype of their input. A layer keeps its dtype, because its optimizer holds the parameters themselves.
/// A model changes dtype by its state:
/// ```java
/// var wide = new Linear(DType.FLOAT64, 4, 3);
/// Map<String, Tensor> state = narrow.stateDict();
/// state.replaceAll((name, tensor) -> tensor.dtype().isFloating() ? tensor.cast(DType.FLOAT64) : tensor);
/// wide.loadStateDict(state);
/// ```
package org.toydiff.nn;
