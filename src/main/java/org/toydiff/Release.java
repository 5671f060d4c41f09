package org.toydiff;

/// When backward frees the intermediates that only it needs.
///
/// | | [#AT_CLOSE] | [#EAGER] |
/// |---|---|---|
/// | gradients of intermediates | readable until their arena closes | freed right after the rule that read them |
/// | values of intermediates | readable until their arena closes | freed right after their last reader |
/// | a second backward | accumulates | IllegalStateException |
/// | bits of gradients | the same | the same |
/// | leaves, the tensor backward was called on, [Tensor#retain()] | kept | kept |
public enum Release {
    /// Everything stays until its arena closes.
    AT_CLOSE,
    /// Each block goes back at the step that [Tensor#releaseSchedule()] names.
    EAGER
}
