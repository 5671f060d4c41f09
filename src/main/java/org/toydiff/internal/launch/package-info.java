/// Launches: everything that takes segments, offsets, shapes and strides, and knows no tensor.
///
/// | subject | files |
/// |---|---|
/// | an elementwise op: how its operands lie, and how the grid is cut into parts | `ElementWork` |
/// | a reduction; softmax and cross entropy by rows; the largest k | `ReductionWork`, `RowWork`, `TopKWork` |
/// | a matrix product: where a GEMM is cut into tiles | `ProductWork` |
/// | an optimizer's step | `UpdateWork` |
/// | arithmetic on shapes and strides; the layouts that BLAS reads | `Shape`, `MatrixLayout` |
/// | memory of the parts that run at once | `Scratch` |
///
/// The threads are in `internal.workers`, the loops over memory in `internal.kernels`.
package org.toydiff.internal.launch;
