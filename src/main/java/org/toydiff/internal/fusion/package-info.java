/// Fusion: chains and trees of launches as one loop over memory, whose intermediate results stay in registers.
///
/// | subject | files |
/// |---|---|
/// | launches as recorded, and their operands | `RecordedLaunch`, `BlockView` |
/// | which launches become one loop | `Fuser`, `LaunchGroup`, `LoopBuilder`, `FusedLaunch` |
/// | the computation of a loop | `LoopProgram` |
/// | the code of a loop, scalar and over vectors | `FusedLoopWriter`, `FusedScalarLoop`, `FusedVectorLoop` |
/// | loops that are kept for programs to come | `FusedLoops` |
/// | a loop over operands, in parts | `FusedWork`, `OperandGrid`, `Columns` |
///
/// A loop is generated from the expressions of the kernels that it replaces, so it gives their bits. Which of its forms
/// runs is decided as for every kernel: see `internal.kernels`.
///
/// Conversions between elements of 4 and of 8 bytes are no expressions, and end a loop; so does a kernel with more
/// than 16 live values, such as a power.
package org.toydiff.internal.fusion;
