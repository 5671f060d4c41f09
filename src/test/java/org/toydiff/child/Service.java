package org.toydiff.child;

import org.toydiff.DType;
import org.toydiff.Memory;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// A JVM that serves a request on another thread, with a model that a shutdown hook closes.
public final class Service {
    private final TensorArena model = TensorArena.ofDetached();
    private final Tensor weights = Tensor.ones(model, DType.FLOAT32, 100);

    private Service() {}

    /// Prints the result of a request, and that of closing the model.
    ///
    /// @param arguments `end` to end all threads, `exit` to exit in the middle of a request with status 3, `report` to
    ///     print a report of the memory in a request
    public static void main(String[] arguments) throws Exception {
        var service = new Service();
        Runtime.getRuntime().addShutdownHook(new Thread(service::close));
        Thread.ofPlatform()
                .name("request")
                .start(() -> service.serve(arguments[0]))
                .join();
    }

    private void serve(String mode) {
        try (var inside = model.enter();
                var request = TensorArena.ofConfined()) {
            System.out.println("served " + weights.multiply(2).sum().item());
            if (mode.equals("exit")) {
                System.exit(3);
            }
            if (mode.equals("report")) {
                System.out.print(Memory.report());
            }
        }
    }

    private void close() {
        try {
            model.close();
            System.out.println("closed, live " + Memory.liveBytes() + " B");
        } catch (IllegalStateException inUse) {
            System.out.println(inUse.getMessage());
        }
    }
}
