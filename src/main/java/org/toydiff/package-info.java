/// Tensors outside the Java heap, arenas that own them, and reverse-mode gradients.
///
/// **Memory** (1) A tensor's elements live in the arena that was innermost on this thread when it was made. (2)
/// Closing an arena frees them all at once; touching one later throws. (3) Parameters are made in an outer arena;
/// each step opens an inner one.
///
/// An arena that outlives the thread which opens it, as that of a server's model does, is opened by
/// [org.toydiff.TensorArena#ofDetached()]: it is innermost where a thread has entered it, and closed by any thread
/// once none is inside.
///
/// **Lifetimes** Reading a tensor that was freed, by closing or by [org.toydiff.Release#EAGER], throws
/// IllegalStateException.
/// **Threads** A tensor of a confined arena belongs to the thread that opened it, and elsewhere throws
/// WrongThreadException. One of a shared arena may be read by any number of threads at once; writing to it
/// while another reads needs a lock of the caller's, except that backward adds to the gradient of a shared
/// leaf under that leaf's own lock.
/// **Null** is never accepted nor returned, save where a parameter says so; it throws NullPointerException.
///
/// **DTypes** No op casts by itself. Operands of two dtypes are refused, by a message that names the cast to write:
/// the one to the smallest dtype that has every value of both, BOOL to INT32 to INT64, BFLOAT16 to FLOAT32 to FLOAT64,
/// INT32 and any of these to FLOAT64. INT64 and a floating dtype have none, for FLOAT64 has integers up to 2⁵³ only:
/// that cast loses digits, and the message says so. A number on the right takes the dtype on the left, rounded if
/// that is floating; INT32 and INT64 must have it. Comparisons take any number. An
/// [Autocast] region casts between FLOAT32 and BFLOAT16.
///
/// **The JVM's options** A bad value of one of the properties `toydiff.…` is an IllegalArgumentException that names
/// the allowed values, and a JVM that denies the library native access an IllegalStateException that names the flag.
/// It is thrown by the first arena, tensor or call that needs the option, and by each later one.
///
/// # Where things are
///
/// - Making tensors: `Tensor` (the factories), `Spacing`, `Sampling`, `TensorBase` (state, allocation, checks).
/// - An op and its gradient: `ElementwiseOps` (add, sqrt …), `ExponentialOps` (exp, log …), `TrigonometricOps` (sin,
///   tanh …), `RoundingOps` (floor, isNan …), `DivisionOps` (remainder …), `ActivationOps` (gelu …), `ReductionOps`,
///   `StatisticsOps`, `NanOps` (nanSum …), `CumulativeOps`, `SoftmaxOps`, `NormalizationOps` (layerNorm …),
///   `AttentionOps`, `ProductOps`, `ConvolutionOps`, `PoolingOps`, `RecurrenceOps` (lstm …, with `RecurrentLayer`),
///   `ShapeOps`, `ArrangementOps`, `IndexingOps`, `MaskOps`, `SortingOps`; `StaticOps` (where, concat, stack,
///   meshgrid, custom).
/// - Ops without a gradient: `ComparisonOps` (greater …), `LogicOps` (logicalAnd, any, countNonzero …), `SamplingOps`.
/// - Linear algebra: `Linalg`; `LinearSystemOps` and `DecompositionOps` have its ops with their gradients, and
///   `LinalgLaunch` starts LAPACK. `EinsumOps` takes an einsum apart.
/// - The parts that ops of one kind share: `Families`, `Quantiles`. `Launch` starts their kernels, `Products` their
///   matrix products, and a `…Launch` of its own those of a family.
/// - Asking for gradients and reading them: `AutogradOps`, `Autograd`, `GradientCheck`.
/// - The graph: `Node` (one recorded op), `Rule` (the types of gradient rules).
/// - Freeing a block early: `Backward` frees it (one walk), `WalkPlan` finds the last reader of each value,
///   `internal.memory.Storage` gives the block back; `ReleaseSchedule` is the record of it, predicted or measured.
/// - Predicting a schedule or a peak: `Prediction`, `MemoryPlan`.
/// - Owning memory: `TensorArena`, `MemoryOps` (copyTo, moveTo), `Memory`; `internal.memory.Ledger` enforces
///   the limits.
/// - Updating parameters in place: `Updates`.
/// - Recording a function and replaying it: `CompiledFunction`; `Recorder` notes the launches of the first run,
///   `Recording` runs them again; `ExecutionPlan` lists them.
///
/// These internal packages know no tensor: `internal.launch` (cuts work into parts; `ProductWork` cuts a GEMM),
/// those of a family of ops (`internal.convolution`, `pooling`, `normalization`, `attention`, `recurrence`,
/// `linalg`), `internal.kernels`, `internal.blas`, `internal.memory`, `internal.plan` (where temporaries of a
/// recording lie), `internal.workers` and `internal.text`.
package org.toydiff;
