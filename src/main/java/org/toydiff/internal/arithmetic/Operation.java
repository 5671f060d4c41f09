package org.toydiff.internal.arithmetic;

/// The operations of expressions. Each is one IEEE operation, one integer operation or a move of bits.
enum Operation {
    INPUT,
    PARAMETER,
    CONSTANT,
    ADD,
    SUBTRACT,
    MULTIPLY,
    DIVIDE,

    /// The quotient of integers, rounded towards −∞.
    FLOOR_DIVIDE,

    /// Its remainder.
    FLOOR_REMAINDER,
    NEGATIVE,
    ABS,
    SQRT,
    FMA,
    MIN,
    MAX,
    LESS,
    LESS_OR_EQUAL,
    EQUAL,
    NOT_EQUAL,
    AND,
    OR,
    XOR,
    NOT,
    SHIFT_LEFT,
    SHIFT_RIGHT,
    SHIFT_RIGHT_UNSIGNED,

    /// The bits of a real number, or the real number of bits: nothing is computed.
    REINTERPRET,

    /// Converts between a real number and the integer of its value.
    CONVERT,

    /// The second operand where the first holds, else the third.
    SELECT,

    /// A scalar function of the operands from the third on where the first holds, else the second.
    RARELY
}
