package org.toydiff.train;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/// Keeps other trainings out of a folder, of this process and of others, until it is closed or the process ends.
///
/// Each training locks a file of its own there and then looks for those of others: of two that begin at once, at most
/// one goes on. A file whose lock can be had is a dead process's and is deleted. One file for all could not be deleted
/// at the end: another process may have opened it and lock it when it is no longer in the folder.
final class FolderLock implements AutoCloseable {
    private static final String PREFIX = ".toydiff-";
    private static final String SUFFIX = ".lock";

    /// The folders that are locked by this process, whose locks the operating system does not hold against itself.
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path folder;
    private Path file;
    private FileChannel channel;

    private FolderLock(Path folder) {
        this.folder = folder;
    }

    /// Locks a folder, which is made if it is not there.
    static FolderLock of(Path folder) throws IOException {
        Files.createDirectories(folder);
        var lock = new FolderLock(folder.toRealPath());
        if (!HELD.add(lock.folder)) {
            throw inUse(folder);
        }
        try {
            lock.acquire();
            if (lock.findsAnother()) {
                throw inUse(folder);
            }
            return lock;
        } catch (Throwable e) {
            lock.close();
            throw e;
        }
    }

    private static FileSystemException inUse(Path folder) {
        return new FileSystemException(
                folder.toString(),
                null,
                "another training is saving its checkpoints there; wait for its end, or give checkpoints(folder) another"
                        + " folder");
    }

    private void acquire() throws IOException {
        do {
            if (channel != null) {
                channel.close();
            }
            file = folder.resolve(PREFIX + UUID.randomUUID() + SUFFIX);
            channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            try {
                channel.tryLock();
            } catch (IOException e) {
                // The file system has no locks: within this process alone the folder is locked.
                return;
            }
            // Before it was locked, another process may have taken it for a dead one's.
        } while (!Files.exists(file));
    }

    private boolean findsAnother() throws IOException {
        try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, PREFIX + "*" + SUFFIX)) {
            for (Path other : found) {
                if (!other.equals(file) && isAlive(other)) {
                    return true;
                }
            }
        }
        return false;
    }

    /// Whether a process holds the lock of a file, which is deleted otherwise.
    private static boolean isAlive(Path other) {
        try (FileChannel channel = FileChannel.open(other, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            if (lock != null) {
                Files.deleteIfExists(other);
            }
            return lock == null;
        } catch (OverlappingFileLockException e) {
            // This process's, by a class of another loader.
            return true;
        } catch (IOException e) {
            // It is just gone, or another user's, or its file system has no locks: nothing can be learnt from it.
            return false;
        }
    }

    @Override
    public void close() throws IOException {
        try (FileChannel opened = channel) {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } finally {
            HELD.remove(folder);
        }
    }
}
