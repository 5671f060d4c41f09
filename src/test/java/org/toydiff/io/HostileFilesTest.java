package org.toydiff.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.ArenaTest;
import org.toydiff.Memory;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.CsvFile;
import org.toydiff.data.IdxDataset;
import org.toydiff.data.ImageFolder;

/// Files of every kind, truncated at every byte and changed at every byte: the exception names the file, no memory
/// is retained, and every read ends.
@Timeout(300)
class HostileFilesTest extends ArenaTest {
    @TempDir
    private Path folder;

    /// Reads a file as far as it can be read.
    private interface Reader {
        void read(Path file) throws IOException;
    }

    private static final Map<String, Reader> READERS = new LinkedHashMap<>();

    static {
        READERS.put("npy", file -> Npy.load(TensorArena.innermost(), file).size());
        READERS.put("bool.npy", READERS.get("npy"));
        READERS.put("bytes.npy", READERS.get("npy"));
        READERS.put("npz", HostileFilesTest::readArchive);
        READERS.put("packed.npz", HostileFilesTest::readArchive);
        READERS.put("safetensors", HostileFilesTest::readTensors);
        READERS.put("idx", file -> IdxDataset.open(file, labels(file)).batch(0, 2));
        READERS.put("idx.gz", READERS.get("idx"));
        READERS.put("csv", file -> CsvFile.of(file).labels(2).read().batch(0));
        READERS.put("csv.gz", READERS.get("csv"));
        READERS.put(
                "text.csv",
                file -> CsvFile.of(file).textLabels(2).missingAsNaN().read().batch(0));
        READERS.put("png", HostileFilesTest::readImages);
        READERS.put("jpg", HostileFilesTest::readImages);
    }

    private static void readArchive(Path file) throws IOException {
        try (var archive = Npz.open(file)) {
            archive.toMap();
        }
    }

    private static void readTensors(Path file) throws IOException {
        try (var saved = SafeTensors.open(file)) {
            saved.names().forEach(saved::shape);
        }
    }

    private static Path labels(Path images) {
        return images.resolveSibling("labels");
    }

    private static void readImages(Path file) throws IOException {
        ImageFolder.open(file.getParent().getParent()).batch(0, 1);
    }

    private byte[] whole(String kind) throws IOException {
        Path file = folder.resolve("whole");
        Tensor x = Tensor.arange(0, 6, 1).reshape(2, 3);
        switch (kind) {
            case "npy" -> Npy.save(file, x);
            case "bool.npy" -> Npy.save(file, x.greater(Tensor.scalar(2)));
            case "bytes.npy" -> {
                Npy.save(file, x.greater(Tensor.scalar(2)));
                String mask = Files.readString(file, StandardCharsets.ISO_8859_1);
                Files.writeString(file, mask.replace("|b1", "|u1"), StandardCharsets.ISO_8859_1);
            }
            case "npz" -> Npz.save(file, Map.of("x", x, "y", x.sum()));
            case "packed.npz" -> {
                Npy.save(file, x);
                Files.write(file, zip("x.npy", Files.readAllBytes(file)));
            }
            case "safetensors" -> SafeTensors.save(file, Map.of("x", x), Map.of("a", "b"));
            case "idx", "idx.gz" ->
                Files.write(file, new byte[] {0, 0, 8, 2, 0, 0, 0, 3, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6});
            case "csv", "csv.gz", "text.csv" -> Files.writeString(file, "a,\"b\",c\n1,2.5,0\n-3e2,\"4\",1\n");
            default -> {
                try (OutputStream out = Files.newOutputStream(file)) {
                    assertTrue(ImageIO.write(new BufferedImage(5, 4, BufferedImage.TYPE_INT_RGB), kind, out));
                }
            }
        }
        byte[] bytes = Files.readAllBytes(file);
        return kind.endsWith(".gz") ? gzip(bytes) : bytes;
    }

    private static byte[] zip(String name, byte[] bytes) throws IOException {
        var zip = new ByteArrayOutputStream();
        try (var out = new ZipOutputStream(zip)) {
            out.putNextEntry(new ZipEntry(name));
            out.write(bytes);
        }
        return zip.toByteArray();
    }

    private static byte[] gzip(byte[] bytes) throws IOException {
        var packed = new ByteArrayOutputStream();
        try (var out = new GZIPOutputStream(packed)) {
            out.write(bytes);
        }
        return packed.toByteArray();
    }

    /// The path from which the reader of a kind reads its file; the other files it needs are in place.
    private Path place(String kind, byte[] whole) throws IOException {
        Path place = Files.createDirectories(folder.resolve(kind)).resolve("x." + kind);
        if (kind.startsWith("idx")) {
            Files.write(labels(place), new byte[] {0, 0, 8, 1, 0, 0, 0, 3, 0, 1, 2});
        } else if (kind.equals("png") || kind.equals("jpg")) {
            // The first file gives the size of all, so a changed one is not believed.
            place = Files.createDirectories(place.resolveSibling("class")).resolve("x." + kind);
            Files.write(place.resolveSibling("a." + kind), whole);
        }
        return place;
    }

    @TestFactory
    Stream<DynamicTest> damagedFilesAreNamedAndLeaveNothing() {
        return READERS.keySet().stream().map(kind -> dynamicTest(kind, () -> damage(kind)));
    }

    private void damage(String kind) throws IOException {
        byte[] whole = whole(kind);
        Path file = place(kind, whole);
        Files.write(file, whole);
        requireNamed(kind, file, "whole");
        var random = new Random(5);
        for (int i = 0; i < whole.length; i++) {
            Files.write(file, Arrays.copyOf(whole, i));
            requireNamed(kind, file, "cut off at " + i);
            for (byte changed : new byte[] {(byte) (whole[i] ^ 1 << random.nextInt(8)), (byte) random.nextInt()}) {
                byte[] bytes = whole.clone();
                bytes[i] = changed;
                Files.write(file, bytes);
                requireNamed(kind, file, "byte " + i + " made " + changed);
            }
        }
        for (int round = 0; round < 100; round++) {
            byte[] bytes = whole.clone();
            for (int k = 0; k < 4; k++) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            Files.write(file, bytes);
            requireNamed(kind, file, "round " + round);
        }
    }

    private static void requireNamed(String kind, Path file, String what) {
        long live = Memory.liveBytes();
        try (var inner = TensorArena.ofConfined()) {
            READERS.get(kind).read(file);
        } catch (FileSystemException | UncheckedIOException | IllegalArgumentException e) {
            String directory = file.getParent().toString();
            assertTrue(e.getMessage().contains(directory), () -> what + ": " + e);
        } catch (Throwable e) {
            fail(what, e);
        }
        assertEquals(live, Memory.liveBytes(), what);
        // Checked only now and then, because the list is long.
        assertTrue(what.hashCode() % 16 != 0 || !isMapped(file), what);
    }

    private static boolean isMapped(Path file) {
        try {
            Path maps = Path.of("/proc/self/maps");
            return Files.isReadable(maps) && Files.readString(maps).contains(file.toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @TestFactory
    Stream<DynamicTest> foldersAndMissingFilesAreNamed() {
        return READERS.keySet().stream()
                .map(kind -> dynamicTest(kind, () -> {
                    Path file = place(kind, whole(kind));
                    if (!kind.equals("png") && !kind.equals("jpg")) {
                        var e = assertThrows(NoSuchFileException.class, () -> READERS.get(kind)
                                .read(file));
                        assertTrue(e.getMessage().contains(file.toString()), e.toString());
                    }
                    Files.createDirectories(file);
                    var e = assertThrows(
                            Exception.class, () -> READERS.get(kind).read(file));
                    assertTrue(e instanceof FileSystemException || e instanceof UncheckedIOException, e.toString());
                    assertTrue(e.getMessage().contains(file.toString()), e.toString());
                }));
    }

    @Test
    void textThatIsNotUtf8IsNamed() throws IOException {
        Path file = folder.resolve("x.csv");
        for (String text : new String[] {"a,\u00e9\n1,2\n", "a,b\n1,\u00e9\n"}) {
            Files.write(file, text.getBytes(StandardCharsets.ISO_8859_1));
            var e = assertThrows(
                    Exception.class, () -> CsvFile.of(file).labels("\u00e9").read());
            assertTrue(e.getMessage().contains(file.toString()), e.toString());
        }
    }

    /// A file in a zip file system is visible only once it is complete, and cannot be mapped.
    @Test
    void filesWithinAnArchiveAreReadOrRefused() throws IOException {
        Tensor x = Tensor.ones(3);
        try (var system = FileSystems.newFileSystem(folder.resolve("a.zip"), Map.of("create", "true"))) {
            for (Path file : new Path[] {system.getPath("/x"), system.getPath("x")}) {
                for (Reader writer : new Reader[] {
                    f -> Npy.save(f, x), f -> Npz.save(f, Map.of("x", x)), f -> SafeTensors.save(f, Map.of("x", x))
                }) {
                    String message = assertThrows(IOException.class, () -> writer.read(file))
                            .getMessage();
                    assertTrue(message.startsWith(file + ": not saved"), message);
                    assertTrue(message.contains("save to a folder on a disk"), message);
                }
            }
            for (String kind : READERS.keySet()) {
                Path home = place(kind, whole(kind));
                Files.write(home, whole(kind));
                Path inside = system.getPath("/r", kind, "c", "x." + kind);
                Files.createDirectories(inside.getParent());
                Files.write(inside, whole(kind));
                if (kind.startsWith("idx")) {
                    Files.copy(labels(home), labels(inside));
                }
                try {
                    READERS.get(kind).read(inside);
                } catch (IOException e) {
                    assertTrue(e.getMessage().startsWith(inside.getParent().toString()), e.toString());
                } catch (IndexOutOfBoundsException e) {
                    assertTrue(kind.equals("png") || kind.equals("jpg"), "one image was read, the other is not there");
                }
            }
            try (var left = Files.list(system.getPath("/"))) {
                assertEquals(1, left.count(), "only what the test wrote");
            }
        }
    }

    @Test
    void aTensorOfTwoHundredThousandAxesIsReadPrintedAndSaved() throws IOException {
        long[] shape = new long[200_000];
        Arrays.fill(shape, 1);
        shape[7] = 2;
        shape[150_000] = 3;
        Path file = folder.resolve("deep.safetensors");
        SafeTensors.save(file, Map.of("x", Tensor.arange(0, 6, 1).reshape(shape)));
        try (var saved = SafeTensors.open(file)) {
            Tensor x = saved.get("x");
            assertEquals(200_000, x.rank());
            assertEquals(5, x.toDoubleArray()[5]);
            assertEquals(15, x.exp().log().sum().item(), 1e-5);
            String text = x.toString();
            assertEquals(
                    text.chars().filter(c -> c == '[').count(),
                    text.chars().filter(c -> c == ']').count());
            assertTrue(text.startsWith("Tensor([[[") && text.contains("5.") && text.endsWith(", dtype=float32)"));
        }
    }

    @Test
    void anArrayWithoutElementsAndAHugeAxisIsReadAndSavedAtOnce() throws IOException {
        Path file = folder.resolve("x.npy");
        Npy.save(file, Tensor.zeros(1L << 60, 4, 0));
        Tensor read = Npy.load(arena, file);
        assertEquals(0, read.size());
        Npz.save(folder.resolve("x.npz"), Map.of("x", read));
        SafeTensors.save(folder.resolve("x.safetensors"), Map.of("x", read));
        try (var archive = Npz.open(folder.resolve("x.npz"));
                var tensors = SafeTensors.open(folder.resolve("x.safetensors"))) {
            assertEquals(0, archive.get("x").size());
            assertEquals(1L << 60, tensors.get("x").shape()[0]);
        }
    }
}
