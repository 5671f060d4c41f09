package org.toydiff.internal.arithmetic;

/// The error function `2/√π · ∫₀ˣ e^−t² dt`.
public final class ErrorFunction {
    /// `erf x = x + x·p(x²)/q(x²)` below [#NEAR], to 2⁻³⁰ and 2⁻⁵⁵·⁶. The form is that of fdlibm's s_erf.c (Sun
    /// Microsystems, 1993, https://www.netlib.org/fdlibm/s_erf.c).
    private static final double[] NEAR_P32 = {0.12837917f, -0.33154562f, -0.013086317f, -0.0014162237f};
    private static final double[] NEAR_Q32 = {1, 0.34725797f, 0.036530655f};
    private static final double[] NEAR_P64 = {
        0.12837916709551256, -0.32503314767114816, -0.028504449516911837, -0.005772240022839384, -2.410855595040661e-05
    };

    private static final double[] NEAR_Q64 = {
        1.0,
        0.3979870139107181,
        0.06504990168057266,
        0.005085636048529055,
        0.00013278941289366524,
        -3.955670787658206e-06
    };

    /// `erf x = 1 + e^−x²·p(x)/q(x)` from there on, to 2⁻²⁹ and 2⁻⁵⁵·⁶ of the whole.
    private static final double[] FAR_P32 = {-1.0005916f, -0.7400989f, -0.23134756f};
    private static final double[] FAR_Q32 = {1, 1.8726323f, 1.3309389f, 0.40848172f};
    private static final double[] FAR_P64 = {
        -0.9999999590434524,
        -1.368383080786124,
        -0.9221456646274212,
        -0.3573588001283784,
        -0.07921547677979275,
        -0.008168864603980613
    };

    private static final double[] FAR_Q64 = {
        1.0,
        2.496761775737405,
        2.7394422170576367,
        1.7039704083300373,
        0.6407159846853544,
        0.14040067218414867,
        0.014479103130725212
    };

    private static final double NEAR = 0.84375;

    private ErrorFunction() {}

    /// {@return the error function, within 1.10 ulp (FLOAT32, all floats) and 1.28 (FLOAT64; at 0.844, where the form
    /// changes)}
    public static Real erf(Real x) {
        Precision precision = x.precision();
        // Beyond this the result is 1.
        Real highest = precision.constant(precision.choose(4.0, 6.0));
        Real size = x.abs();
        Real bounded = size.greater(highest).select(highest, size);
        Real square = bounded.multiply(bounded);
        Condition near = size.less(precision.constant(NEAR));
        // One division serves both.
        Real numerator = near.select(
                Polynomial.of(square, precision.choose(NEAR_P32, NEAR_P64)),
                Polynomial.of(bounded, precision.choose(FAR_P32, FAR_P64)));
        Real denominator = near.select(
                Polynomial.of(square, precision.choose(NEAR_Q32, NEAR_Q64)),
                Polynomial.of(bounded, precision.choose(FAR_Q32, FAR_Q64)));
        Real one = precision.constant(1);
        Real factor = near.select(size, Exponential.normalExpOfNegative(square.negative()));
        return factor.fma(numerator.divide(denominator), near.select(size, one)).copySign(x);
    }
}
