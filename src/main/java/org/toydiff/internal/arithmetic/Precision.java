package org.toydiff.internal.arithmetic;

/// An element type of expressions: the format of its [Real] values, and the integers of the same width, its [Bits].
public enum Precision {
    /// IEEE binary32: `float`, with `int` for its bits.
    FLOAT32(Float.SIZE, 23),

    /// IEEE binary64: `double`, with `long` for its bits.
    FLOAT64(Double.SIZE, 52);

    /// The width in bits.
    public final int size;

    /// The number of bits of a real number's fraction, which lie below those of its exponent.
    final int fractionSize;

    Precision(int size, int fractionSize) {
        this.size = size;
        this.fractionSize = fractionSize;
    }

    /// {@return the bias that is added to the exponent of a power of two to give its exponent bits}
    int exponentBias() {
        return (1 << size - fractionSize - 2) - 1;
    }

    /// {@return 1.5·2²³ or 1.5·2⁵²: adding it rounds a number to an integer, which is then in the lowest bits}
    double rounder() {
        return 1.5 * Math.scalb(1.0, fractionSize);
    }

    /// {@return `single` for FLOAT32, `other` for FLOAT64: a threshold, or the coefficients of a polynomial}
    <T> T choose(T single, T other) {
        return this == FLOAT32 ? single : other;
    }

    /// {@return the constant nearest to `value`, rounded once to this precision}
    public Real constant(double value) {
        long bits = this == FLOAT32 ? Float.floatToRawIntBits((float) value) : Double.doubleToRawLongBits(value);
        return new Real(this, Operation.CONSTANT, bits);
    }

    /// {@return an integer constant}
    ///
    /// @throws IllegalArgumentException if `value` fits this width neither as signed nor as unsigned
    public Bits bits(long value) {
        boolean fits = this == FLOAT64 || value == (int) value || value >>> Integer.SIZE == 0;
        if (!fits) {
            throw new IllegalArgumentException("0x" + Long.toHexString(value) + " does not fit " + size + " bits");
        }
        return new Bits(this, Operation.CONSTANT, this == FLOAT32 ? (int) value : value);
    }

    /// {@return the bits of [#constant]}
    Bits bitsOf(double value) {
        return new Bits(this, Operation.CONSTANT, constant(value).number);
    }

    /// {@return the element of the kernel's operand `index` at the position being computed}
    public Real input(int index) {
        return new Real(this, Operation.INPUT, index);
    }

    /// {@return the element of the kernel's operand `index`, an integer as wide as this precision} It is read as the
    /// real number with these bits, which no move of data changes; and a kernel writes an integer as its
    /// [Bits#real()].
    public Bits integer(int index) {
        return input(index).bits();
    }

    /// {@return the truth value, read from a byte, of the kernel's operand `index` at the position being computed}
    public Condition mask(int index) {
        return new Condition(this, index);
    }

    /// {@return a number that is the same for all elements of a call, such as a learning rate}
    public Real parameter(int index) {
        return new Real(this, Operation.PARAMETER, index);
    }
}
