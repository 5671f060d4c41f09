/// One arithmetic: kernels described as expressions over IEEE operations, from which the scalar and vector forms of
/// every loop are generated. It knows no memory and no tensor.
///
/// | subject | files |
/// |---|---|
/// | expressions: numbers, bits, conditions | `Real`, `Bits`, `Condition`; `Expression`, `Operation`, `Precision` |
/// | functions that run element by element | `ScalarFunction` |
/// | exponentials, logarithms, powers | `Exponential`, `Logarithm`, `Power` |
/// | the error function, the normal distribution | `ErrorFunction`, `NormalDistribution` |
/// | trigonometric and hyperbolic functions | `Trigonometry`, `InverseTrigonometry`, `Hyperbolic`, `Hypotenuse` |
/// | rounding to integers, remainders | `Rounding`, `Remainder` |
/// | shared: polynomials, sums of two numbers, angles beyond double | `Polynomial`, `Pair`, `HugeAngle` |
/// | code generated from an expression | `Graph`, `Emitter`, `ScalarEmitter`, `VectorEmitter` |
/// | readable pseudo-code | `PseudoCode` |
///
/// Each elementary function cites its source and states its error. The loops around the generated code, and the
/// choice between their forms, are in `internal.kernels`.
package org.toydiff.internal.arithmetic;
