package org.toydiff.internal.blas;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.UUID;

/// Loads the file of a library for the class loader of this class, which is the one the generated bindings search.
///
/// The JVM allows a file, identified by its path, to be loaded in only one class loader at a time ("The Java
/// Native Interface Specification", on `JNI_OnLoad` and class loaders). A second loader, that of another or of a
/// reloaded web application, loads it through a hard link: the dynamic linker identifies files by inode, returns
/// the same library and counts its users, so threads, buffers and settings exist once. If no link can be made (the
/// file belongs to another user, for instance), the second loader gets a copy, with separate threads and buffers.
final class LibraryFile {
    private LibraryFile() {}

    /// Loads the file.
    ///
    /// @throws UnsatisfiedLinkError if it is not a library, or is loaded in another class loader and can be
    ///     neither linked nor copied
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

    /// Returns whether the file can be loaded independently of class loaders, so that the only obstacle is another
    /// class loader that has it.
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
                delete(other);
            }
        } catch (IOException | UnsatisfiedLinkError e) {
            throw new UnsatisfiedLinkError(why + ", and by another name it could not be loaded either: " + e
                    + "; load toydiff in one class loader above the others, or set java.io.tmpdir to a folder that"
                    + " libraries can be loaded from");
        }
    }

    /// Deletes a name of a library, which stays loaded without it; Windows keeps the file of a loaded library, which is
    /// no failure.
    private static void delete(Path name) {
        try {
            Files.deleteIfExists(name);
        } catch (IOException e) {
            name.toFile().deleteOnExit();
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
