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

/// Keeps other trainings, of this and of other processes, out of a folder until it is closed or the process ends.
///
/// Each training creates and locks a file in the folder and then looks for the files of others: of two that begin at
/// the same time, at most one continues. A file whose lock is free belongs to a dead process and is deleted. A
/// single shared file could not be deleted at the end: another process may have opened it, and would lock a file
/// that is no longer in the folder.
final class FolderLock implements AutoCloseable {
    private static final String PREFIX = ".toydiff-";
    private static final String SUFFIX = ".lock";

    /// The folders locked by this process, which the locks of the operating system do not keep out.
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path folder;
    private Path file;
    private FileChannel channel;

    private FolderLock(Path folder) {
        this.folder = folder;
    }

    /// Locks a folder, which is created if it does not exist.
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
                "another training is saving its checkpoints there; wait until it has ended, or pass another folder to"
                        + " checkpoints(folder)");
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
                // The file system has no locks: the folder is locked only within this process.
                return;
            }
            // Another process may have deleted it before it was locked, as a dead process's.
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

    /// Returns whether a process holds the lock of a file, and deletes the file if none does.
    private static boolean isAlive(Path other) {
        try (FileChannel channel = FileChannel.open(other, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            if (lock != null) {
                Files.deleteIfExists(other);
            }
            return lock == null;
        } catch (OverlappingFileLockException e) {
            // A class of another loader in this process holds the lock.
            return true;
        } catch (IOException e) {
            // It was just deleted, belongs to another user, or its file system has no locks: unknown.
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
