package org.toydiff;

/// Which keys a query of attention may see: PyTorch's `torch.nn.attention.bias.CausalVariant`, and none of the two.
public enum CausalVariant {
    /// All of them.
    NONE,

    /// Query i sees the keys up to i: the first query and the first key stand for the same position. PyTorch's
    /// `is_causal`.
    UPPER_LEFT,

    /// The last query sees all keys, and each query before it one less: the last query and the last key stand for the
    /// same position, as where the keys of earlier positions are cached.
    LOWER_RIGHT;

    /// The last key that query i sees is `i +` this.
    long diagonal(long queries, long keys) {
        return switch (this) {
            case NONE -> keys;
            case UPPER_LEFT -> 0;
            case LOWER_RIGHT -> keys - queries;
        };
    }
}
