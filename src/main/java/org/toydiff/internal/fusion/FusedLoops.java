package org.toydiff.internal.fusion;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.toydiff.internal.arithmetic.Graph;
import org.toydiff.internal.kernels.Kernel;
import org.toydiff.internal.kernels.Kernels;
import org.toydiff.internal.kernels.ProvenFused;

/// The fused loops that were generated last, by program and layout. Beyond [#BOUND], the one that has not been asked
/// for the longest leaves; its classes are unloaded when no work refers to it any more.
public final class FusedLoops {
    /// The largest number of loops kept.
    static final int BOUND = 256;

    private static final Map<List<Object>, Kernel.Fused> LOOPS = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<List<Object>, Kernel.Fused> eldest) {
            return size() > BOUND;
        }
    };

    private FusedLoops() {}

    /// {@return the loop of a program for operands whose columns are so laid out}
    static synchronized Kernel.Fused of(LoopProgram program, Columns[] columns) {
        return LOOPS.computeIfAbsent(key(program, columns), key -> create(program, columns));
    }

    /// {@return the number of loops kept}
    static synchronized int size() {
        return LOOPS.size();
    }

    private static List<Object> key(LoopProgram program, Columns[] columns) {
        List<Object> key = new ArrayList<>(program.graph().key());
        for (int k = 0; k < program.operandCount(); k++) {
            key.add(program.element(k));
        }
        key.addAll(Arrays.asList(columns));
        return key;
    }

    /// {@return a new loop of a program, not kept here}
    ///
    /// @param steps the steps that the operands always have between columns
    public static Kernel.Fused create(LoopProgram program, long[] steps) {
        return create(program, Columns.of(steps));
    }

    private static Kernel.Fused create(LoopProgram program, Columns[] columns) {
        Kernel.Fused scalar = FusedScalarLoop.of(program, columns);
        Graph graph = program.graph();
        if (!Kernels.haveVectors() || !graph.hasVectorForm() || !Columns.adjacent(columns)) {
            return scalar;
        }
        return new ProvenFused(
                program.name(),
                program.precision(),
                Columns.steps(columns),
                program.inputs().size(),
                scalar,
                shape -> FusedVectorLoop.of(program, columns, shape, scalar));
    }
}
