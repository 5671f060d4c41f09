package org.toydiff.internal;

import java.lang.classfile.CodeBuilder;

/// Keeps C2 from copying a generated method into its callers.
public final class Inlining {
    /// One instruction is a byte; C2 inlines methods of up to `FreqInlineSize`, 325 bytes.
    private static final int UNREACHED = 330;

    private Inlining() {}

    /// Ends a method with unreachable code that makes it too large to inline.
    public static void prevent(CodeBuilder code) {
        for (int i = 0; i < UNREACHED; i++) {
            code.nop();
        }
        code.return_();
    }
}
