/// Scaled dot-product attention in blocks, of raw segments: the matrix of scores exists a block at a time, in the
/// scratch of the part that works on it.
///
/// | subject | files |
/// |---|---|
/// | the shapes, and a block of scores and of probabilities | `AttentionWork` |
/// | the output, by an online softmax | `AttentionForward` |
/// | the gradients, from the log-sum-exp of each row | `AttentionBackward` |
/// | an operand, a matrix for each head | `HeadMatrices` |
/// | which keys take part | `ScoreMask`, and `LaterKeys` for causal attention |
///
/// Sources: T. Dao, D. Fu, S. Ermon, A. Rudra, C. Ré, "FlashAttention: fast and memory-efficient exact attention with
/// IO-awareness", 2022; the sizes of blocks are those of PyTorch's `FlashAttentionKernel.cpp`.
package org.toydiff.internal.attention;
