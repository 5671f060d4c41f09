package org.toydiff.internal.arithmetic;

/// The operations that expressions are made of. Each is one IEEE operation, one integer operation or a move of bits.
enum Operation {
    INPUT,
    PARAMETER,
    CONSTANT,
    ADD,
    SUBTRACT,
    MULTIPLY,
    DIVIDE,
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

    /// The bits of a real number, and the real number of bits: nothing is computed.
    REINTERPRET,

    /// Between a real number and the integer of its value.
    CONVERT,

    /// The second operand where the first holds, else the third.
    SELECT,

    /// A scalar function of the second operand where the first holds, else the third.
    RARELY
}
