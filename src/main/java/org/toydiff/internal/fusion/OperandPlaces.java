package org.toydiff.internal.fusion;

/// A fused loop whose operands may begin elsewhere in their memory in each run.
public sealed interface OperandPlaces permits FusedWork, FusedPieces {
    /// Lets an operand begin elsewhere in its memory from now on. Operands that are in no memory do not count.
    void place(int operand, long offset);
}
