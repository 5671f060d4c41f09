package org.toydiff.child;

import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.toydiff.Blas;
import org.toydiff.DType;
import org.toydiff.Memory;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Enters the library through one of several calls, each tried twice, and prints what is thrown.
public final class Entrances {
    private Entrances() {}

    private static Map<String, Runnable> all() {
        Map<String, Runnable> all = new LinkedHashMap<>();
        all.put("arena", () -> TensorArena.ofConfined().close());
        all.put("shared", () -> TensorArena.ofShared().close());
        all.put("global", () -> Tensor.ones(Arena.global(), DType.FLOAT32, 3));
        all.put("wrap", () -> Tensor.wrap(Arena.ofAuto().allocate(16), DType.FLOAT32, 4));
        all.put("library", Blas::library);
        all.put("version", Blas::version);
        all.put("core", Blas::core);
        all.put("threads", Blas::threads);
        all.put("setThreads", () -> Blas.setThreads(2));
        all.put("limit", Memory::limitBytes);
        all.put("report", Memory::report);
        all.put("product", () -> {
            try (var arena = TensorArena.ofConfined()) {
                Tensor.ones(2, 2).matmul(Tensor.ones(2, 2));
            }
        });
        return all;
    }

    /// Prints a line for each try.
    ///
    /// @param arguments the names of the calls; none for all
    public static void main(String[] arguments) {
        Map<String, Runnable> all = all();
        if (arguments.length > 0) {
            all.keySet().retainAll(List.of(arguments));
        }
        all.forEach((name, entrance) -> {
            for (int i = 0; i < 2; i++) {
                try {
                    entrance.run();
                    System.out.println(name + ": nothing");
                } catch (Throwable e) {
                    System.out.println(name + ": " + e.getClass().getSimpleName() + ": " + e.getMessage());
                }
            }
        });
    }
}
