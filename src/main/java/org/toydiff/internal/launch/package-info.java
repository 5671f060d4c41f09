/// Launches: everything that takes segments, offsets, shapes and strides, and knows no tensor.
///
/// | subject | files |
/// |---|---|
/// | an elementwise op: the layout of its operands, and the division of the grid into parts | `ElementWork` |
/// | a reduction, of floats and of integers | `ReductionWork`, `IntegerReductionWork` (`ReductionKind`) |
/// | along an axis: sorting, the k largest, cumulative sums, positions | `AxisWork` and its subclasses |
/// | elements under a mask, distinct ones, counts | `MaskedElements`, `DistinctElements`, `Counting` |
/// | the types of elements, and their order | `ElementKind` |
/// | elements that are computed when a launch needs them, or taken when it has them | `ElementSource`, `ElementSink` |
/// | the rows of a launch in either case | `RowStream` |
/// | softmax and cross entropy by rows | `RowWork` |
/// | a matrix product, or a batch of them | `ProductBatch`, `ProductWork` |
/// | its division into parts | `ProductPlan`, `ProductTable` |
/// | the partial results of a product that is divided along its inner axis | `PartialSums` |
/// | products of BFLOAT16, and its elementwise kernels | `Bfloat16ProductWork`, `Widened` |
/// | dropout | `DropoutWork` |
/// | an optimizer's step | `UpdateWork` |
/// | arithmetic on shapes and strides; the layouts that BLAS reads | `Shape`, `MatrixLayout` |
/// | memory of the parts that run at once | `Scratch` |
///
/// The threads are in `internal.workers`, the loops over memory in `internal.kernels`.
package org.toydiff.internal.launch;
