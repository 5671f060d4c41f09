package org.toydiff.nn;

/// How [Functional#interpolate] finds an element between those that there are.
public enum Interpolation {
    /// The nearest element.
    NEAREST,
    /// Between the two nearest elements, for one axis.
    LINEAR,
    /// Between the two nearest elements along either of two axes.
    BILINEAR
}
