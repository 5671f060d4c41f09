/// Optimizers, made of the public API of `org.toydiff` alone.
///
/// What they keep from step to step (momentum, moments) lives in the arena that is innermost when they are made, or
/// when a setting asks for it: that of the parameters, not that of a step. What a step computes on the way is freed
/// before it returns.
package org.toydiff.optim;
