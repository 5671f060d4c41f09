package org.toydiff.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// What a test runs in a child JVM: holds the lock of a temporary file until it is killed.
final class Holder {
    private Holder() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        try (FileChannel channel = FileChannel.open(
                        Path.of(arguments[0]), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
                var lock = channel.lock()) {
            System.out.println(lock);
            Thread.sleep(60_000);
        }
    }
}
