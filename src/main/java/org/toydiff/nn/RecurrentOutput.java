package org.toydiff.nn;

import org.toydiff.Tensor;

/// The results of [RNN], [LSTM] and [GRU]. L is the number of layers times that of directions, layer by layer and the
/// reverse direction second.
///
/// @param output h of the last layer after each step, `[T, B, directions·H]`, or `[B, T, directions·H]` if the batch
///     is first; 0 in the padding. Where an LSTM projects h, its size stands in place of H, as in the next
/// @param hidden h of each layer and direction after the last step of each sequence, `[L, B, H]`
/// @param cell an LSTM's c, likewise `[L, B, H]`; else null
public record RecurrentOutput(Tensor output, Tensor hidden, Tensor cell) {}
