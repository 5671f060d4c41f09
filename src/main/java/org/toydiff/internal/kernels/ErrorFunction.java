package org.toydiff.internal.kernels;

/// The error function `2/√π · ∫₀ˣ e^−t² dt` in double, within 1 ulp.
///
/// The rational approximations are those of fdlibm's s_erf.c (Sun Microsystems, 1993,
/// https://www.netlib.org/fdlibm/s_erf.c): x + x·p(x²)/q(x²) below 0.84375, one around 1 below 1.25, and
/// `1 − e^(−x² − 0.5625 + r(1/x²)/s(1/x²)) / x` beyond.
final class ErrorFunction {
    private static final double ERF_OF_1 = 8.45062911510467529297e-01;

    private static final double[] P = {
        1.28379167095512558561e-01,
        -3.25042107247001499370e-01,
        -2.84817495755985104766e-02,
        -5.77027029648944159157e-03,
        -2.37630166566501626084e-05
    };
    private static final double[] Q = {
        1,
        3.97917223959155352819e-01,
        6.50222499887672944485e-02,
        5.08130628187576562776e-03,
        1.32494738004321644526e-04,
        -3.96022827877536812320e-06
    };
    private static final double[] P_AT_1 = {
        -2.36211856075265944077e-03,
        4.14856118683748331666e-01,
        -3.72207876035701323847e-01,
        3.18346619901161753674e-01,
        -1.10894694282396677476e-01,
        3.54783043256182359371e-02,
        -2.16637559486879084300e-03
    };
    private static final double[] Q_AT_1 = {
        1,
        1.06420880400844228286e-01,
        5.40397917702171048937e-01,
        7.18286544141962662868e-02,
        1.26171219808761642112e-01,
        1.36370839120290507362e-02,
        1.19844998467991074170e-02
    };
    private static final double[] R_NEAR = {
        -9.86494403484714822705e-03,
        -6.93858572707181764372e-01,
        -1.05586262253232909814e+01,
        -6.23753324503260060396e+01,
        -1.62396669462573470355e+02,
        -1.84605092906711035994e+02,
        -8.12874355063065934246e+01,
        -9.81432934416914548592e+00
    };
    private static final double[] S_NEAR = {
        1,
        1.96512716674392571292e+01,
        1.37657754143519042600e+02,
        4.34565877475229228821e+02,
        6.45387271733267880336e+02,
        4.29008140027567833386e+02,
        1.08635005541779435134e+02,
        6.57024977031928170135e+00,
        -6.04244152148580987438e-02
    };
    private static final double[] R_FAR = {
        -9.86494292470009928597e-03,
        -7.99283237680523006574e-01,
        -1.77579549177547519889e+01,
        -1.60636384855821916062e+02,
        -6.37566443368389627722e+02,
        -1.02509513161107724954e+03,
        -4.83519191608651397019e+02
    };
    private static final double[] S_FAR = {
        1,
        3.03380607434824582924e+01,
        3.25792512996573918826e+02,
        1.53672958608443695994e+03,
        3.19985821950859553908e+03,
        2.55305040643316442583e+03,
        4.74528541206955367215e+02,
        -2.24409524465858183362e+01
    };

    private ErrorFunction() {}

    static double erf(double x) {
        double size = Math.abs(x);
        if (size < 0.84375) {
            double z = x * x;
            return x + x * (polynomial(P, z) / polynomial(Q, z));
        }
        if (size < 1.25) {
            double s = size - 1;
            return Math.copySign(ERF_OF_1 + polynomial(P_AT_1, s) / polynomial(Q_AT_1, s), x);
        }
        return size < 6 ? Math.copySign(1 - complement(size), x) : Double.isNaN(x) ? x : Math.copySign(1, x);
    }

    /// `1 − erf x` from 1.25 on.
    private static double complement(double x) {
        double s = 1 / (x * x);
        double ratio = x < 1 / 0.35
                ? polynomial(R_NEAR, s) / polynomial(S_NEAR, s)
                : polynomial(R_FAR, s) / polynomial(S_FAR, s);
        // x in two parts, so that the square of the first is exact.
        double high = Double.longBitsToDouble(Double.doubleToRawLongBits(x) & 0xffffffff00000000L);
        return Math.exp(-high * high - 0.5625) * Math.exp((high - x) * (high + x) + ratio) / x;
    }

    private static double polynomial(double[] coefficients, double x) {
        double y = 0;
        for (int i = coefficients.length - 1; i >= 0; i--) {
            y = y * x + coefficients[i];
        }
        return y;
    }
}
