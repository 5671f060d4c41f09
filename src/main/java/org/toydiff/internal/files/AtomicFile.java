package org.toydiff.internal.files;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.Writer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/// Writes a file that appears whole or not at all: it is written under a temporary name in the same folder, forced
/// to disk, and renamed; then the folder is forced too.
///
/// The writer holds a lock on the temporary file. A process that is killed loses its lock, and so the next writer
/// knows that the file is abandoned and deletes it.
public final class AtomicFile {
    private static final String PREFIX = ".toydiff-";
    private static final String SUFFIX = ".tmp";
    private static final Set<PosixFilePermission> WRITE = EnumSet.of(
            PosixFilePermission.OWNER_WRITE, PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);

    /// How many times another process may take the temporary file for abandoned.
    private static final int MAX_TRIES = 16;

    /// The temporary files of this process. They are never opened a second time, because closing any channel to
    /// one of them would release its lock (POSIX, fcntl: all locks of a process on a file go with the first
    /// descriptor closed).
    private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();

    private AtomicFile() {}

    /// Writes the bytes of a file.
    public interface Content {
        /// Writes all of them and leaves the channel open.
        void writeTo(FileChannel channel) throws IOException;
    }

    /// Writes the text of a file.
    public interface Text {
        /// Writes all of it and leaves the writer open.
        void writeTo(Writer writer) throws IOException;
    }

    /// Creates or replaces a UTF-8 text file, and creates its folder if needed; if this throws, `file` is
    /// unchanged.
    public static void writeText(Path file, Text text) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        write(file, channel -> {
            var writer = new BufferedWriter(Channels.newWriter(channel, StandardCharsets.UTF_8));
            text.writeTo(writer);
            writer.flush();
        });
    }

    /// Creates or replaces `file`; if this throws, `file` is unchanged.
    public static void write(Path file, Content content) throws IOException {
        Path target = Files.exists(file) ? file.toRealPath() : file.toAbsolutePath();
        requireReplaceable(target);
        Path folder = target.getParent();
        if (!Files.isDirectory(folder)) {
            throw new FileSystemException(file.toString(), null, "not saved: there is no folder " + folder);
        }
        folder = folder.toRealPath();
        deleteAbandoned(folder);
        try {
            int tries = 1;
            while (!writeAside(folder, target, content)) {
                if (tries++ == MAX_TRIES) {
                    throw new IOException("the file system does not show a file while it is written, as that of a zip"
                            + " archive does not; save to a folder on a disk, and copy the file from there");
                }
            }
        } catch (IOException e) {
            var failure = new FileSystemException(
                    file.toString(), null, "not saved; an old file is unchanged: " + e.getMessage());
            failure.initCause(e);
            throw failure;
        }
        try {
            force(folder);
        } catch (IOException e) {
            throw FileErrors.naming(file, e);
        }
    }

    private static void requireReplaceable(Path target) throws IOException {
        if (!Files.exists(target)) {
            return;
        }
        if (!Files.isRegularFile(target)) {
            throw new FileSystemException(target.toString(), null, "not saved: this is not a regular file");
        }
        var view = Files.getFileAttributeView(target, PosixFileAttributeView.class);
        // A rename needs no permission on the file, and root has every permission: so check the bits themselves.
        boolean marked =
                view != null && Collections.disjoint(view.readAttributes().permissions(), WRITE);
        if (marked || !Files.isWritable(target)) {
            throw new FileSystemException(target.toString(), null, "not saved: the file is read-only");
        }
    }

    /// Writes the temporary file and renames it.
    ///
    /// @return false if another process took the temporary file for abandoned before it was locked
    private static boolean writeAside(Path folder, Path target, Content content) throws IOException {
        Path temporary = folder.resolve(PREFIX + UUID.randomUUID() + SUFFIX);
        OWN.add(temporary);
        try (FileChannel channel =
                FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            lock(channel);
            if (!Files.exists(temporary)) {
                return false;
            }
            content.writeTo(channel);
            keepPermissions(target, temporary);
            channel.force(true);
            // Renamed before it is closed, because the lock must last until then.
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
            return true;
        } finally {
            Files.deleteIfExists(temporary);
            OWN.remove(temporary);
        }
    }

    /// Locks the file, or goes on where the file system has no locks: no process can take it for abandoned there.
    private static void lock(FileChannel channel) throws IOException {
        try {
            channel.lock();
        } catch (IOException e) {
            if (!channel.isOpen()) {
                throw e;
            }
        }
    }

    private static void keepPermissions(Path from, Path to) throws IOException {
        var view = Files.getFileAttributeView(to, PosixFileAttributeView.class);
        if (view != null && Files.exists(from)) {
            view.setPermissions(Files.getPosixFilePermissions(from));
        }
    }

    private static void deleteAbandoned(Path folder) {
        try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, PREFIX + "*" + SUFFIX)) {
            for (Path temporary : found) {
                if (!OWN.contains(temporary) && Files.isRegularFile(temporary, LinkOption.NOFOLLOW_LINKS)) {
                    deleteIfAbandoned(temporary);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            // A folder may be writable but not readable: nothing can be cleaned up in it.
        }
    }

    private static void deleteIfAbandoned(Path temporary) {
        try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            if (lock != null) {
                Files.delete(temporary);
            }
        } catch (IOException e) {
            // Another user's, or just deleted, or on a file system without locks: left alone.
        }
    }

    private static void force(Path folder) throws IOException {
        FileChannel channel;
        try {
            channel = FileChannel.open(folder, StandardOpenOption.READ);
        } catch (IOException e) {
            // Not every system can open folders; Windows cannot.
            return;
        }
        try (channel) {
            channel.force(true);
        }
    }
}
