package org.toydiff;

/// The largest elements along an axis, in descending order.
///
/// @param values the elements, differentiable
/// @param indices their positions along the axis, INT64
public record TopK(Tensor values, Tensor indices) {}
