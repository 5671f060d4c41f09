/// Kernels: single-threaded loops over raw memory that check nothing and allocate no objects.
///
/// | subject | files |
/// |---|---|
/// | signatures; the choice at startup | `Kernel`, `Kernels` |
/// | elementwise kernels and their expressions | `UnaryKernel`, `BinaryKernel`, `Activations` |
/// | the same of integers and truth values | `IntegerKernels`, `LogicKernel` |
/// | conversions of elements | `Element`, `CastKernels`, `WidthLoop` |
/// | copies of elements of any type | `CopyKernels`, `Transposition` |
/// | reading and adding at positions | `IndexKernels` |
/// | passes that reduce: sums, moments, extremes, parts of softmax | `PassDescription`, `ContiguousKernels` |
/// | passes that take optimizer steps | `UpdateKernel`, `Coefficients` |
/// | loops generated from an expression | `LoopCode`, `LoopWriter`, `VectorLoop`, `ScalarLoop` with `StagedLoop` |
/// | passes and column sums, likewise | `PassLoop`, `PassWriter`, `ScalarPass`, `VectorPass`; `ColumnLoop` |
/// | how the scalar form gets at memory | `Staging`, `Pieces` |
/// | which form runs | `ProvenLoop` and the kernels that begin with `Proven` |
///
/// The arithmetic of the expressions is in `internal.arithmetic`; `internal.launch` decides how an op is divided
/// into calls of a kernel.
package org.toydiff.internal.kernels;
