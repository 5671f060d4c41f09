/// Recurrent layers over raw memory: the walk through the steps of a sequence, forward and backward.
///
/// | subject | files |
/// |---|---|
/// | the arithmetic of a step of each kind of cell | `Cell`, `CellExpressions`, `StepLoops` |
/// | one step of a batch, in parts | `CellWork`, `PanelProduct` |
/// | all steps of a sequence: a product and a cell for each | `SequenceWork`, `SequenceOperand` |
///
/// The gates' share of the inputs is one product for the whole sequence, and so are the gradients of inputs and
/// weights: the caller computes them. A step then costs one product with the hidden state and one pass over the cell,
/// a generated loop of `internal.fusion`, whose scalar and vector forms give the same bits. Forward, both may be done
/// part by part: some rows and units, so that the sums are still in the cache.
package org.toydiff.internal.recurrence;
