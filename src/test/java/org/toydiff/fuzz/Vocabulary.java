package org.toydiff.fuzz;

import java.io.File;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.toydiff.Autograd;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.nn.Functional;
import org.toydiff.optim.Optimizer;

/// The names that a message may begin with: those of public methods and classes, which a user can search for.
final class Vocabulary {
    private static final Set<String> OPS = ops();

    private Vocabulary() {}

    private static Set<String> ops() {
        Set<String> ops = new HashSet<>();
        List<Class<?>> classes = new ArrayList<>(List.of(Tensor.class, TensorArena.class, Autograd.class));
        classes.addAll(beside(Functional.class));
        classes.addAll(beside(Optimizer.class));
        for (Class<?> type : classes) {
            ops.add(type.getSimpleName());
            for (Method method : type.getMethods()) {
                ops.add(method.getName());
            }
        }
        return ops;
    }

    /// Returns the public classes of the package of one of them.
    private static List<Class<?>> beside(Class<?> one) {
        try {
            URI place = one.getResource(one.getSimpleName() + ".class").toURI();
            List<Class<?>> classes = new ArrayList<>();
            for (String file : new File(place).getParentFile().list()) {
                if (file.endsWith(".class") && !file.startsWith("package-info")) {
                    classes.add(Class.forName(one.getPackageName() + "." + file.replace(".class", "")));
                }
            }
            classes.removeIf(type -> !Modifier.isPublic(type.getModifiers()));
            return classes;
        } catch (URISyntaxException | ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }

    /// Whether a message says first who speaks: `matmul: …`, or `Linear(in=3, out=2) at "0": …` for a layer in another.
    static boolean isOp(String message) {
        String first = message.split("\\W", 2)[0];
        return OPS.contains(first) && message.contains(": ");
    }
}
