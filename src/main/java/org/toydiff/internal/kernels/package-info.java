/// Kernels: loops over raw memory on one thread, which check nothing and make no objects.
///
/// | subject | files |
/// |---|---|
/// | signatures; the choice at the start | `Kernel`, `Kernels` |
/// | elementwise kernels and their expressions | `UnaryKernel`, `BinaryKernel`, `Activations` |
/// | passes that reduce: sums, moments, extremes, softmax's parts, steps of optimizers | `PassDescription`,
// `UpdateKernel`, `Coefficients`, `ContiguousKernels` |
/// | loops generated from an expression: scalar and vector form | `LoopWriter`, `ScalarLoop`, `VectorLoop`;
// `PassWriter`, `ScalarPass`, `VectorPass`; `ColumnLoop` |
/// | which form runs | `ProvenLoop` and the kernels that begin with `Proven` |
/// | copies, integers, tiny products | `CopyKernels`, `IntegerComparisonLoop`, `FloatVectorProduct` |
///
/// The arithmetic of the expressions is in `internal.arithmetic`; `internal.launch` decides how an op is cut into calls
// of
/// a kernel.
package org.toydiff.internal.kernels;
