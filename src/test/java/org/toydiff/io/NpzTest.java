package org.toydiff.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.io.FilesOfPython.assertSame;
import static org.toydiff.io.FilesOfPython.file;
import static org.toydiff.io.FilesOfPython.ramp;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.Memory;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Archives that NumPy wrote, archives that NumPy must be able to read, and malformed archives.
class NpzTest extends ArenaTest {
    @TempDir
    private Path folder;

    private static Map<String, Tensor> content() {
        Map<String, Tensor> content = new LinkedHashMap<>();
        content.put("x", ramp(DType.FLOAT32, 2, 3));
        content.put("labels", ramp(DType.INT64, 5));
        content.put("mask", ramp(DType.BOOL, 7));
        content.put("folder/größe", ramp(DType.FLOAT64, 2));
        content.put("scalar", ramp(DType.INT32));
        return content;
    }

    @Test
    void whatNumPyStoredIsReadAndWrittenAgainByteForByte() throws IOException {
        Map<String, Tensor> expected = content();
        try (var saved = Npz.open(file("plain.npz"))) {
            assertEquals(List.copyOf(expected.keySet()), saved.names());
            Map<String, Tensor> tensors = saved.toMap();
            expected.forEach((name, tensor) -> assertSame(tensor, tensors.get(name)));
        }
        Npz.save(folder.resolve("plain.npz"), expected);
        assertArrayEquals(FilesOfPython.bytes("plain.npz"), Files.readAllBytes(folder.resolve("plain.npz")));
    }

    @Test
    void whatNumPyPackedIsRead() throws IOException {
        Tensor large;
        try (var saved = Npz.open(file("packed.npz"))) {
            content().forEach((name, tensor) -> {
                try {
                    assertSame(tensor, saved.get(name));
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            assertSame(ramp(DType.FLOAT32, 2, 3, 4), saved.get("fortran"));
            large = saved.get("large");
            var e = assertThrows(IOException.class, () -> saved.get("complex"));
            assertTrue(e.getMessage().contains("packed.npz: complex.npy: offset "), e.getMessage());
            assertTrue(e.getMessage().contains("the dtype '<c8' cannot be read"), e.getMessage());
        }
        double[] numbers = large.toDoubleArray();
        for (int i = 0; i < numbers.length; i++) {
            double x = (i - 3) / 4.0;
            assertEquals(x - 7 * Math.floor(x / 7), numbers[i]);
        }
    }

    @Test
    void manyAndLargeEntriesAreWrittenAndRead() throws IOException {
        Map<String, Tensor> many = new LinkedHashMap<>();
        for (int i = 0; i < 1_000; i++) {
            many.put("x" + i, Tensor.full(DType.INT32, i, 2));
        }
        many.put("large", Tensor.arange(DType.FLOAT64, 0, 1_000_000, 1));
        Path file = folder.resolve("many.npz");
        Npz.save(file, many);
        try (var saved = Npz.open(file)) {
            many.forEach((name, tensor) -> {
                try {
                    assertSame(tensor, saved.get(name));
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
        }
    }

    /// An archive of more than 65,535 entries ends with another record.
    @Test
    void anArchiveMayHaveMoreEntriesThan16BitsCount() throws Exception {
        Tensor x = Tensor.ones(DType.BOOL, 0);
        Map<String, Tensor> many = new LinkedHashMap<>();
        for (int i = 0; i < 70_000; i++) {
            many.put("x" + i, x);
        }
        Path file = folder.resolve("many.npz");
        Npz.save(file, many);
        try (var saved = Npz.open(file);
                var zip = new ZipFile(file.toFile())) {
            assertEquals(70_000, zip.size());
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
            assertEquals(
                    new String(FilesOfPython.bytes("many.npz.sha256"), StandardCharsets.UTF_8),
                    HexFormat.of().formatHex(hash));
            assertEquals(List.copyOf(many.keySet()), saved.names());
            assertEquals(0, saved.get("x69999").size());
        }
    }

    @Test
    void namesThatCannotBeWrittenAreRefused() {
        Path file = folder.resolve("x.npz");
        for (String name : List.of("a\0b", "\ud800", "x".repeat(70_000))) {
            assertThrows(IllegalArgumentException.class, () -> Npz.save(file, Map.of(name, Tensor.ones(1))));
        }
        assertFalse(Files.exists(file));
    }

    @Test
    void unknownNamesAndClosedArchivesSaySo() throws IOException {
        var saved = Npz.open(file("plain.npz"));
        var unknown = assertThrows(IllegalArgumentException.class, () -> saved.get("y"));
        assertEquals(
                "get: there is no \"y\" in " + file("plain.npz") + "; names() lists all names", unknown.getMessage());
        saved.close();
        assertThrows(IllegalStateException.class, () -> saved.get("x"));
        assertThrows(NoSuchFileException.class, () -> Npz.open(folder.resolve("none.npz")));
    }

    @Test
    void whatIsNoArchiveIsNamed() throws IOException {
        Path file = Files.write(folder.resolve("bad.npz"), FilesOfPython.bytes("float32.npy"));
        var e = assertThrows(IOException.class, () -> Npz.open(file));
        assertTrue(
                e.getMessage().startsWith(file + ": offset 0: this is not a zip archive, or a damaged one: "),
                e.getMessage());
    }

    private Path zipped(String name, byte[] content) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var zip = new ZipOutputStream(bytes)) {
            zip.putNextEntry(new ZipEntry(name));
            zip.write(content);
        }
        return Files.write(folder.resolve("bad.npz"), bytes.toByteArray());
    }

    private void assertMalformed(Path file, String problem) throws IOException {
        long live = Memory.liveBytes();
        try (var saved = Npz.open(file)) {
            var e = assertThrows(MalformedFileException.class, () -> saved.get("x"));
            assertEquals(file + ": x.npy: offset " + problem, e.getMessage());
        }
        assertEquals(live, Memory.liveBytes());
    }

    @Test
    void entriesThatAreNotWhatTheySayAreNamed() throws IOException {
        byte[] array = FilesOfPython.bytes("float32.npy");
        assertMalformed(
                zipped("x.npy", Arrays.copyOf(array, array.length - 1)),
                "128: [2, 3] float32 takes 24 bytes, and the archive says that 23 follow");
        assertMalformed(zipped("x.npy", new byte[3]), "3: the file ends within its header");
        byte[] bool = FilesOfPython.bytes("bool.npy");
        bool[130] = 7;
        assertMalformed(zipped("x.npy", bool), "130: an element of '|b1' is neither 0 nor 1");
        try (var saved = Npz.open(zipped("notes.txt", array))) {
            assertEquals(List.of(), saved.names());
        }
    }

    @Test
    void aBombIsRefusedBeforeAnythingIsMade() throws IOException {
        byte[] header = Arrays.copyOf(FilesOfPython.bytes("vector.npy"), 128);
        byte[] bomb = Arrays.copyOf(header, 128 + 10_000_000);
        // The header claims 800 bytes; 10 MB follow.
        assertMalformed(
                zipped("x.npy", bomb), "128: [100] int64 takes 800 bytes, and the archive says that 10000000 follow");
        // Makes the directory agree with the header.
        byte[] packed = Files.readAllBytes(zipped("x.npy", bomb));
        int directory = indexOf(packed, new byte[] {'P', 'K', 1, 2});
        packed[directory + 24] = (byte) 928;
        packed[directory + 25] = (byte) (928 >> 8);
        packed[directory + 26] = 0;
        packed[directory + 27] = 0;
        Path file = Files.write(folder.resolve("bad.npz"), packed);
        assertMalformed(file, "928: bytes follow the last element of [100] int64");
    }

    @Test
    void aHeaderThatPromisesMoreThanCanBePackedIsRefused() throws IOException {
        String text = new String(FilesOfPython.bytes("vector.npy"), StandardCharsets.ISO_8859_1)
                .replace("(100,), }     ", "(10000000,), }");
        byte[] array = Arrays.copyOf(text.getBytes(StandardCharsets.ISO_8859_1), 928);
        array[array.length - 1] = 1;
        byte[] packed = Files.readAllBytes(zipped("x.npy", array));
        assertTrue(text.contains("(10000000,)"), text);
        int directory = indexOf(packed, new byte[] {'P', 'K', 1, 2});
        int said = 128 + 80_000_000;
        for (int i = 0; i < 4; i++) {
            packed[directory + 24 + i] = (byte) (said >> 8 * i);
        }
        Path file = Files.write(folder.resolve("bad.npz"), packed);
        long live = Memory.liveBytes();
        try (var saved = Npz.open(file)) {
            var e = assertThrows(IOException.class, () -> saved.get("x"));
            assertTrue(e.getMessage().contains("[10000000] int64 takes 80000000 bytes, and "), e.getMessage());
            assertTrue(e.getMessage().endsWith(" packed ones cannot hold them"), e.getMessage());
        }
        assertEquals(live, Memory.liveBytes());
    }

    private static int indexOf(byte[] bytes, byte[] wanted) {
        int at = 0;
        while (!Arrays.equals(bytes, at, at + wanted.length, wanted, 0, wanted.length)) {
            at++;
        }
        return at;
    }

    @Test
    void aWrongChecksumIsNamed() throws IOException {
        byte[] bytes = FilesOfPython.bytes("plain.npz");
        int data = indexOf(bytes, new byte[] {(byte) 0x93, 'N', 'U', 'M'}) + 128;
        bytes[data] ^= 1;
        assertMalformed(
                Files.write(folder.resolve("bad.npz"), bytes),
                "0: the data is damaged: its checksum is not the one in the archive");
    }

    @Test
    void twoEntriesOfOneNameAreRefused() throws IOException {
        Npz.save(folder.resolve("two.npz"), content());
        String text = new String(Files.readAllBytes(folder.resolve("two.npz")), StandardCharsets.ISO_8859_1);
        Path file = Files.write(
                folder.resolve("bad.npz"),
                text.replace("labels.npy", "scalar.npy").getBytes(StandardCharsets.ISO_8859_1));
        var e = assertThrows(IOException.class, () -> Npz.open(file));
        assertEquals(file + ": offset 0: the archive has two entries scalar.npy", e.getMessage());
    }

    @Test
    void damagedArchivesAreReadOrRefused() throws IOException {
        var random = new Random(1);
        int refused = 0;
        for (int i = 0; i < 400; i++) {
            byte[] bad = FilesOfPython.bytes(i % 2 == 0 ? "plain.npz" : "packed.npz");
            for (int k = 0; k <= random.nextInt(3); k++) {
                bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
            }
            Path file = Files.write(
                    folder.resolve("bad.npz"), i % 10 == 0 ? Arrays.copyOf(bad, random.nextInt(bad.length)) : bad);
            try (var scratch = TensorArena.ofConfined();
                    var saved = Npz.open(file)) {
                for (String name : saved.names()) {
                    if (!name.equals("words")) {
                        saved.get(name);
                    }
                }
            } catch (IOException e) {
                refused++;
            }
        }
        assertTrue(refused > 200 && refused < 400, refused + " of 400 were refused");
    }
}
