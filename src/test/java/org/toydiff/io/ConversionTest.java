package org.toydiff.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.io.FilesOfPython.assertSame;
import static org.toydiff.io.FilesOfPython.file;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.Memory;
import org.toydiff.Tensor;

/// Element types that are read by conversion, against NumPy's and PyTorch's conversions and against arithmetic.
class ConversionTest extends ArenaTest {
    private static final String CONVERTED = " converted";
    private static final int HALVES = 1 << 16;

    @TempDir
    private Path folder;

    private static Map<String, Tensor> converted(Map<String, Tensor> all) {
        Map<String, Tensor> converted = new LinkedHashMap<>(all);
        converted.keySet().removeIf(name -> name.endsWith(CONVERTED));
        return converted;
    }

    @Test
    void archivesGiveWhatNumPyConvertsTo() throws IOException {
        try (var saved = Npz.open(file("dtypes.npz"))) {
            Map<String, Tensor> all = saved.toMap();
            Map<String, Tensor> converted = converted(all);
            assertEquals(18, converted.size());
            converted.forEach((name, tensor) -> assertSame(all.get(name + CONVERTED), tensor));
        }
    }

    @Test
    void filesGiveWhatNumPyConvertsTo() throws IOException {
        try (var saved = Npz.open(file("dtypes.npz"));
                var archive = new ZipFile(file("dtypes.npz").toFile())) {
            for (String name : converted(saved.toMap()).keySet()) {
                Path copy = folder.resolve("x.npy");
                Files.write(
                        copy,
                        archive.getInputStream(archive.getEntry(name + ".npy")).readAllBytes());
                long live = arena.liveBytes();
                Tensor x = Npy.load(arena, copy);
                long bytes = Set.of("|b1", "<u8").contains(name)
                        ? 0
                        : Math.ceilDiv(x.size() * x.dtype().bytes(), 64) * 64;
                assertEquals(bytes, arena.liveBytes() - live, name + ": the converted elements alone");
                assertEquals(bytes == 0, x.segment().isMapped(), name);
                assertSame(saved.get(name + CONVERTED), x);
            }
        }
    }

    @Test
    void tensorsGiveWhatPyTorchConvertsTo() throws IOException {
        Map<String, String> dtypes = Map.of(
                "half", "F16",
                "byte", "U8",
                "signed byte", "I8",
                "short", "I16",
                "word", "U16",
                "unsigned", "U32",
                "long word", "U64");
        try (var saved = SafeTensors.open(file("others.safetensors"))) {
            for (String name : new TreeSet<>(dtypes.keySet())) {
                assertEquals(dtypes.get(name), saved.dtype(name));
                assertSame(saved.get(name + CONVERTED), saved.get(name));
                assertEquals(name.equals("long word"), saved.get(name).segment().isMapped(), name);
                assertTrue(saved.get(name + CONVERTED).segment().isMapped());
            }
        }
    }

    @Test
    void bfloat16LiesInTheFileAndHasPyTorchsValues() throws IOException {
        try (var saved = SafeTensors.open(file("others.safetensors"))) {
            Tensor brain = saved.get("brain");
            assertEquals("BF16", saved.dtype("brain"));
            assertEquals(DType.BFLOAT16, brain.dtype());
            assertTrue(brain.segment().isMapped());
            assertSame(saved.get("brain" + CONVERTED), brain.cast(DType.FLOAT32));
            Path written = folder.resolve("brain.safetensors");
            SafeTensors.save(written, Map.of("brain", brain));
            try (var again = SafeTensors.open(written)) {
                assertEquals("BF16", again.dtype("brain"));
                assertSame(brain, again.get("brain"));
            }
        }
    }

    @Test
    void convertedTensorsOutliveTheFile() throws IOException {
        Tensor bytes;
        try (var saved = SafeTensors.open(file("others.safetensors"))) {
            bytes = saved.get("byte");
        }
        assertEquals(255, bytes.at(255));
        assertEquals(1, bytes.copyFrom(Tensor.full(DType.INT32, 1, 256)).at(0), "and can be written");
    }

    /// Returns a file of all halves, in order.
    private Path halves(String descr, ByteOrder order) throws IOException {
        String header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (65536,), }";
        ByteBuffer bytes = ByteBuffer.allocate(10 + header.length() + HALVES * Short.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put("\u0093NUMPY\u0001\u0000".getBytes(StandardCharsets.ISO_8859_1))
                .putShort((short) header.length())
                .put(header.getBytes(StandardCharsets.ISO_8859_1))
                .order(order);
        for (int i = 0; i < HALVES; i++) {
            bytes.putShort((short) i);
        }
        return Files.write(folder.resolve("halves.npy"), bytes.array());
    }

    /// A float of `exponentBits` and `fractionBits` by the definition of IEEE 754; NaN has the fraction that it had.
    private static float value(int bits, int exponentBits, int fractionBits) {
        int exponent = bits >> fractionBits & (1 << exponentBits) - 1;
        int fraction = bits & (1 << fractionBits) - 1;
        int bias = (1 << exponentBits - 1) - 1;
        boolean negative = bits >> exponentBits + fractionBits != 0;
        if (exponent == (1 << exponentBits) - 1) {
            return Float.intBitsToFloat((negative ? 0xff800000 : 0x7f800000) | fraction << 23 - fractionBits);
        }
        double significand = Math.scalb((double) fraction, -fractionBits) + (exponent > 0 ? 1 : 0);
        double magnitude = Math.scalb(significand, Math.max(exponent, 1) - bias);
        return (float) (negative ? -magnitude : magnitude);
    }

    private static void requireAllValues(Tensor x, int exponentBits, int fractionBits) {
        assertEquals(DType.FLOAT32, x.dtype());
        int[] expected = new int[HALVES];
        for (int i = 0; i < HALVES; i++) {
            expected[i] = Float.floatToRawIntBits(value(i, exponentBits, fractionBits));
        }
        assertArrayEquals(expected, x.segment().toArray(ValueLayout.JAVA_INT));
    }

    @ParameterizedTest
    @ValueSource(strings = {"<f2", "=f2", "f2", ">f2"})
    void everyHalfIsItsValue(String descr) throws IOException {
        ByteOrder order = descr.startsWith(">") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
        requireAllValues(Npy.load(arena, halves(descr, order)), 5, 10);
    }

    @Test
    void everyF16AndBF16IsItsValue() throws IOException {
        byte[] header = ("{\"a\":{\"dtype\":\"BF16\",\"shape\":[65536],\"data_offsets\":[0,131072]},"
                        + "\"b\":{\"dtype\":\"F16\",\"shape\":[65536],\"data_offsets\":[131072,262144]}}")
                .getBytes(StandardCharsets.US_ASCII);
        ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES + header.length + 2 * HALVES * Short.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length)
                .put(header);
        for (int i = 0; i < 2 * HALVES; i++) {
            bytes.putShort((short) i);
        }
        Path file = Files.write(folder.resolve("halves.safetensors"), bytes.array());
        try (var saved = SafeTensors.open(file)) {
            requireAllValues(saved.get("a").cast(DType.FLOAT32), 8, 7);
            requireAllValues(saved.get("b"), 5, 10);
        }
    }

    private Path written(String descr, byte... elements) throws IOException {
        String header = "{'descr': " + descr + ", 'fortran_order': False, 'shape': (2,), }";
        ByteBuffer bytes = ByteBuffer.allocate(10 + header.length() + elements.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put("\u0093NUMPY\u0001\u0000".getBytes(StandardCharsets.ISO_8859_1))
                .putShort((short) header.length())
                .put(header.getBytes(StandardCharsets.ISO_8859_1))
                .put(elements);
        return Files.write(folder.resolve("x.npy"), bytes.array());
    }

    @ParameterizedTest
    @ValueSource(strings = {"'|u1'", "'u1'", "'<u1'", "'>u1'", "'=u1'", "\"|u1\""})
    void theOrderOfOneByteMeansNothing(String descr) throws IOException {
        assertArrayEquals(
                new long[] {3, 200},
                Npy.load(arena, written(descr, (byte) 3, (byte) 200)).toLongArray());
    }

    private static byte[] longs(ByteOrder order, long... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Long.BYTES).order(order);
        for (long value : values) {
            bytes.putLong(value);
        }
        return bytes.array();
    }

    @ParameterizedTest
    @ValueSource(strings = {"<u8", ">u8"})
    void anUnsignedLongThatNoLongIsIsRefused(String descr) throws IOException {
        ByteOrder order = descr.startsWith(">") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
        long live = Memory.liveBytes();
        Path file = written("'" + descr + "'", longs(order, Long.MAX_VALUE, Long.MAX_VALUE + 1));
        String problem = "offset " + (Files.size(file) - Long.BYTES)
                + ": an element of [2] uint64 is 9223372036854775808, and INT64 ends at 2^63 - 1; save it as '<f8', or"
                + " without such elements";
        var e = assertThrows(MalformedFileException.class, () -> Npy.load(arena, file));
        assertEquals(file + ": " + problem, e.getMessage());
        Path archive = folder.resolve("x.npz");
        try (var out = new ZipOutputStream(Files.newOutputStream(archive))) {
            out.putNextEntry(new ZipEntry("big.npy"));
            out.write(Files.readAllBytes(file));
        }
        try (var saved = Npz.open(archive)) {
            e = assertThrows(MalformedFileException.class, () -> saved.get("big"));
            assertEquals(archive + ": big.npy: " + problem, e.getMessage());
        }
        assertEquals(live, Memory.liveBytes());
    }

    @Test
    void anUnsignedLongThatNoLongIsIsRefusedAloneOfItsFile() throws IOException {
        byte[] header = ("{\"big\":{\"dtype\":\"U64\",\"shape\":[3],\"data_offsets\":[0,24]},"
                        + "\"n\":{\"dtype\":\"U64\",\"shape\":[1],\"data_offsets\":[24,32]}}")
                .getBytes(StandardCharsets.US_ASCII);
        ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES + header.length + 32)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length)
                .put(header)
                .put(longs(ByteOrder.LITTLE_ENDIAN, 0, 1, -1, 7));
        Path file = Files.write(folder.resolve("x.safetensors"), bytes.array());
        try (var saved = SafeTensors.open(file)) {
            assertArrayEquals(new long[] {7}, saved.get("n").toLongArray());
            assertArrayEquals(new long[] {3}, saved.shape("big"));
            var e = assertThrows(IllegalArgumentException.class, () -> saved.get("big"));
            assertEquals(
                    "get: \"big\" in " + file + " is U64, its element 2 is 18446744073709551615, and INT64 ends at"
                            + " 2^63 - 1; save it as F64, or without such elements",
                    e.getMessage());
        }
    }

    @Test
    void theMachinesOrderIsMapped() throws IOException {
        Tensor x = Npy.load(arena, written("  '=i4'", new byte[] {1, 0, 0, 0, -1, -1, -1, -1}));
        assertArrayEquals(new long[] {1, -1}, x.toLongArray());
    }

    @Test
    void aRefusedFileLeavesNothingInTheArena() throws IOException {
        long live = Memory.liveBytes();
        Path file = written("'<f2'", (byte) 0, (byte) 60, (byte) 0);
        var e = assertThrows(MalformedFileException.class, () -> Npy.load(arena, file));
        assertTrue(e.getMessage().endsWith("[2] float16 takes 4 bytes after its header"), e.getMessage());
        assertEquals(live, Memory.liveBytes());
    }

    @Test
    void aFileThatBecameShorterIsNotConverted() throws IOException {
        Path file = folder.resolve("x.safetensors");
        Files.copy(file("others.safetensors"), file);
        try (var saved = SafeTensors.open(file)) {
            try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.truncate(10);
            }
            var e = assertThrows(IllegalStateException.class, () -> saved.get("half"));
            assertTrue(e.getMessage().startsWith("get: " + file + " had "), e.getMessage());
        }
    }

    @Test
    void anArenaOfTheJdkHoldsConvertedElements() throws IOException {
        Tensor x;
        try (Arena mine = Arena.ofConfined()) {
            x = Npy.load(mine, written("'|i1'", (byte) 3, (byte) 200));
            assertArrayEquals(new long[] {3, -56}, x.toLongArray());
        }
        assertThrows(IllegalStateException.class, x::toLongArray);
    }
}
