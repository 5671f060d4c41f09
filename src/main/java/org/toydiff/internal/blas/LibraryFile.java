package org.toydiff.internal.blas;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.UUID;

/// Loads a library's file for the class loader of this class, where the generated bindings look symbols up.
///
/// The JVM lets one class loader at a time load a file, which it knows by its path ("The Java Native Interface
/// Specification", on `JNI_OnLoad` and class loaders). A second loader, of another web application or of one that was
/// reloaded, loads it by a hard link: the system's loader knows a file by its inode, gives the same library again and
/// counts its users, so that no thread, buffer or setting is there twice. Where no link can be made (the file is
/// another user's, say), the second loader gets a copy, with its own threads and buffers.
final class LibraryFile {
    private LibraryFile() {}

    /// Loads it.
    ///
    /// @throws UnsatisfiedLinkError if it is no library, or is another class loader's and can be neither linked nor
    ///     copied
    static void load(Path file) {
        try {
            System.load(file.toString());
        } catch (UnsatisfiedLinkError e) {
            if (!isLibrary(file)) {
                throw e;
            }
            loadByAnotherName(file, e.getMessage());
        }
    }

    /// Whether it can be loaded for no class loader in particular, so that another one's having it is all that is
    /// wrong.
    private static boolean isLibrary(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            SymbolLookup unused = SymbolLookup.libraryLookup(file, arena);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static void loadByAnotherName(Path file, String why) {
        try {
            Path other = linked(file);
            try {
                System.load(other.toString());
            } finally {
                // The system keeps what is loaded; the name was all that was needed.
                Files.deleteIfExists(other);
            }
        } catch (IOException | UnsatisfiedLinkError e) {
            throw new UnsatisfiedLinkError(why + ", and by another name it could not be loaded either: " + e
                    + "; let one class loader above the others have toydiff, or make java.io.tmpdir a folder that"
                    + " libraries can be loaded from");
        }
    }

    private static Path linked(Path file) throws IOException {
        Path link = file.resolveSibling(file.getFileName() + "." + UUID.randomUUID());
        try {
            return Files.createLink(link, file);
        } catch (IOException | UnsupportedOperationException e) {
            Path copy = Files.createTempFile("toydiff-", "-" + file.getFileName());
            return Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
