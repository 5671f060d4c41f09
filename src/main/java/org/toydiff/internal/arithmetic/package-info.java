/// One arithmetic: kernels described as expressions over IEEE operations, from which the scalar and the vector form of
/// every loop are generated. It knows no memory and no tensor.
///
/// | subject | files |
/// |---|---|
/// | expressions: numbers, their bits, conditions | `Real`, `Bits`, `Condition`; `Expression`, `Operation`, `Precision`
// |
/// | functions that run element by element | `ScalarFunction` |
/// | elementary functions; each has its source and its error | `Exponential`, `Logarithm`, `Trigonometry`,
// `Hyperbolic`, `ErrorFunction`, `Power` |
/// | what they share: polynomials, angles beyond double | `Polynomial`, `HugeAngle` |
/// | code generated from an expression | `Graph`, `Emitter`, `ScalarEmitter`, `VectorEmitter` |
/// | readable pseudo-code | `PseudoCode` |
///
/// The loops around the generated code, and the choice between their forms, are in `internal.kernels`.
package org.toydiff.internal.arithmetic;
