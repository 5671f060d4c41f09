package org.toydiff.fuzz;

import java.lang.reflect.Method;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.toydiff.Autograd;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.nn.BatchNorm1d;
import org.toydiff.nn.CrossEntropyLoss;
import org.toydiff.nn.Dropout;
import org.toydiff.nn.Embedding;
import org.toydiff.nn.Flatten;
import org.toydiff.nn.Functional;
import org.toydiff.nn.LayerNorm;
import org.toydiff.nn.Linear;
import org.toydiff.optim.Adagrad;
import org.toydiff.optim.Adam;
import org.toydiff.optim.AdamW;
import org.toydiff.optim.LAMB;
import org.toydiff.optim.LARS;
import org.toydiff.optim.RMSProp;
import org.toydiff.optim.SGD;

/// The names that a message may begin with: those of public methods and classes, which a user can search for.
final class Vocabulary {
    private static final Set<String> OPS = ops();

    private Vocabulary() {}

    private static Set<String> ops() {
        Set<String> ops = new HashSet<>();
        var classes = List.of(
                Tensor.class,
                TensorArena.class,
                Autograd.class,
                Functional.class,
                Linear.class,
                LayerNorm.class,
                BatchNorm1d.class,
                Dropout.class,
                Embedding.class,
                Flatten.class,
                CrossEntropyLoss.class,
                SGD.class,
                Adam.class,
                AdamW.class,
                Adagrad.class,
                RMSProp.class,
                LARS.class,
                LAMB.class);
        for (Class<?> type : classes) {
            ops.add(type.getSimpleName());
            for (Method method : type.getMethods()) {
                ops.add(method.getName());
            }
        }
        return ops;
    }

    /// Whether a message says first who speaks: `matmul: …`, or `Linear(in=3, out=2) at "0": …` for a layer in another.
    static boolean isOp(String message) {
        String first = message.split("\\W", 2)[0];
        return OPS.contains(first) && message.contains(": ");
    }
}
