package org.toydiff.child;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.CountDownLatch;

/// Makes a file and holds its lock until it is killed.
public final class LockHolder {
    private LockHolder() {}

    /// Prints the lock once it is held.
    ///
    /// @param arguments the file
    public static void main(String[] arguments) throws IOException, InterruptedException {
        try (FileChannel channel = FileChannel.open(
                        Path.of(arguments[0]), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
                var lock = channel.lock()) {
            System.out.println(lock);
            new CountDownLatch(1).await();
        }
    }
}
