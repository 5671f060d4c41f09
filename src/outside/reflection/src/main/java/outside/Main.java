package outside;

import java.util.Locale;

/// Computes `1 + 2·5` by calls through reflection, as scripting languages make them.
public final class Main {
    private Main() {}

    private static Object factory(String name, Class<?> parameter, Object argument)
            throws ReflectiveOperationException {
        return Class.forName("org.toydiff.Tensor").getMethod(name, parameter).invoke(null, argument);
    }

    private static Object call(Object receiver, String name, Object argument) throws ReflectiveOperationException {
        return receiver.getClass().getMethod(name, receiver.getClass()).invoke(receiver, argument);
    }

    public static void main(String[] arguments) throws Exception {
        Object arena =
                Class.forName("org.toydiff.TensorArena").getMethod("ofConfined").invoke(null);
        try (var close = (AutoCloseable) arena) {
            Object ones = factory("ones", long[].class, new long[] {5, 5});
            Object two = factory("scalar", double.class, 2.0);
            Object product = call(ones, "matmul", ones);
            Object ten = call(product, "multiply", two);
            Object eleven = call(ten, "add", factory("scalar", double.class, 1.0));
            Object mean = eleven.getClass().getMethod("mean").invoke(eleven);
            Object prediction = mean.getClass().getMethod("item").invoke(mean);
            Object version =
                    Class.forName("org.toydiff.Blas").getMethod("version").invoke(null);
            System.out.printf(Locale.ROOT, "predicted %.2f by %s%n", prediction, version);
        }
    }
}
