/// Fusion: chains and trees of launches as one loop over memory, whose intermediate results stay in registers.
///
/// | subject | files |
/// |---|---|
/// | launches as recorded, and their operands | `RecordedLaunch`, `BlockView` |
/// | which launches become one loop | `Fuser`, `LaunchGroup`, `LoopBuilder`, `FusedLaunch` |
/// | numbers in place of operands | `ConstantOperands` |
/// | the computation of a loop | `LoopProgram` |
/// | its code over single elements | `FusedLoopWriter`, `FusedScalarLoop`; `FusedRows` |
/// | its code over vectors | `FusedVectorLoop` |
/// | loops that are kept for programs to come | `FusedLoops` |
/// | a loop over operands, in parts | `FusedWork`, `OperandGrid`, `Columns` |
/// | a loop that computes the operand of a reduction, softmax or dropout piece by piece | `FusedSource` |
/// | a loop that reads the result of a normalisation, softmax or dropout piece by piece | `FusedSink` |
/// | the loop of either of these; where operands begin | `FusedPieces`; `OperandPlaces` |
///
/// A loop is generated from the expressions of the kernels that it replaces, so it gives their bits. Which of its
/// forms runs is decided as for every kernel: see `internal.kernels`.
///
/// A loop over numbers of FLOAT32 reads and writes BFLOAT16 too, one over FLOAT64 also FLOAT32: it widens elements
/// where it reads them. Kernels of BFLOAT16 round each result; a FLOAT64 is rounded to FLOAT32 where the loop writes
/// it, and read again by other loops.
///
/// Some launches end a loop: conversions between integers of 4 and of 8 bytes, or to integers, which may fail; and
/// random draws, because each number of the generator depends on the ones before. Dropout computes its mask itself,
/// between two loops.
package org.toydiff.internal.fusion;
