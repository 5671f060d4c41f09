package org.toydiff.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.io.FilesOfPython.assertSame;
import static org.toydiff.io.FilesOfPython.file;
import static org.toydiff.io.FilesOfPython.ramp;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.Memory;
import org.toydiff.Tensor;

/// Files that NumPy wrote, files that NumPy must be able to read, and malformed files.
class NpyTest extends ArenaTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource
    void whatNumPyWroteIsReadAndWrittenAgainByteForByte(DType dtype) throws IOException {
        String name = dtype + ".npy";
        Tensor x = ramp(dtype, 2, 3);
        assertSame(x, Npy.load(arena, file(name)));
        Npy.save(folder.resolve(name), x);
        assertArrayEquals(FilesOfPython.bytes(name), Files.readAllBytes(folder.resolve(name)));
    }

    @ParameterizedTest
    @CsvSource({
        "scalar.npy, FLOAT64, ''",
        "vector.npy, INT64, 100",
        "empty.npy, FLOAT32, 3 0",
        "padded.npy, FLOAT32, 1 1 1 1 1 1 1 1 1 1 1 1 1 100"
    })
    void everyShapeIsTheSameBytesAsNumPys(String name, DType dtype, String sizes) throws IOException {
        long[] shape = Arrays.stream(sizes.split(" "))
                .filter(size -> !size.isEmpty())
                .mapToLong(Long::parseLong)
                .toArray();
        Tensor x = ramp(dtype, shape);
        assertSame(x, Npy.load(arena, file(name)));
        Npy.save(folder.resolve(name), x);
        assertArrayEquals(FilesOfPython.bytes(name), Files.readAllBytes(folder.resolve(name)));
    }

    @Test
    void theElementsLieInTheMappedFile() throws IOException {
        long live = Memory.liveBytes();
        Tensor x;
        try (Arena mine = Arena.ofConfined()) {
            x = Npy.load(mine, file("float32.npy"));
            assertEquals(live, Memory.liveBytes());
            assertTrue(x.segment().isMapped());
            assertTrue(x.segment().isReadOnly());
            assertEquals(-0.75 * 6 + 15 / 4.0, x.sum().item());
        }
        assertThrows(IllegalStateException.class, x::toFloatArray);
    }

    @Test
    void fortranOrderIsATransposedView() throws IOException {
        Tensor x = Npy.load(arena, file("fortran.npy"));
        assertSame(ramp(DType.FLOAT32, 2, 3, 4), x);
        assertTrue(x.segment().isMapped());
        assertEquals(x.at(1, 0, 0), x.transpose().at(0, 0, 1));
    }

    @Test
    void laterVersionsAreRead() throws IOException {
        assertSame(ramp(DType.FLOAT32, 2, 3), Npy.load(arena, file("version2.npy")));
        assertSame(ramp(DType.FLOAT32, 2, 3), Npy.load(arena, file("version3.npy")));
    }

    @Test
    void whatIsNotAlignedIsCopied() throws IOException {
        long live = arena.liveBytes();
        Tensor x = Npy.load(arena, file("misaligned.npy"));
        assertEquals(64, arena.liveBytes() - live);
        assertSame(ramp(DType.FLOAT64, 3), x);
        assertFalse(x.segment().isMapped());
    }

    @Test
    void viewsAreWrittenAsWhatTheyShow() throws IOException {
        Tensor x = ramp(DType.FLOAT64, 4, 6);
        for (Tensor view : new Tensor[] {
            x.transpose(), x.slice(1, 2, 3), x.get(1), x.slice(0, 0, 1).broadcastTo(3, 6)
        }) {
            Npy.save(folder.resolve("view.npy"), view);
            assertSame(view, Npy.load(arena, folder.resolve("view.npy")));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"complex64.npy | '<c8'", "text.npy | '<U3'", "record.npy | [('x', '<f4'), ('y', '<i4')]"},
            quoteCharacter = '`')
    void dtypesThatCannotBeReadAreNamed(String name, String dtype) {
        var e = assertThrows(IOException.class, () -> Npy.load(arena, file(name)));
        assertTrue(
                e.getMessage()
                        .endsWith("the dtype " + dtype
                                + " cannot be read; save it as '<f4', '<f8', '<i4', '<i8' or '|b1'"),
                e.getMessage());
    }

    @Test
    void moreAxesThanNumPyHasAreRefused() {
        long[] shape = new long[65];
        Arrays.fill(shape, 1);
        var e = assertThrows(
                IllegalArgumentException.class, () -> Npy.save(folder.resolve("x.npy"), Tensor.ones(shape)));
        assertTrue(e.getMessage().endsWith("has 65 axes, and NumPy reads at most 64; reshape it"), e.getMessage());
        assertFalse(Files.exists(folder.resolve("x.npy")));
    }

    private Path written(String text, int dataBytes) throws IOException {
        return written(1, text.length(), text, dataBytes);
    }

    private Path written(int version, int length, String text, int dataBytes) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(12 + text.length() + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put("\u0093NUMPY".getBytes(StandardCharsets.ISO_8859_1))
                .put((byte) version)
                .put((byte) 0);
        if (version == 1) {
            bytes.putShort((short) length);
        } else {
            bytes.putInt(length);
        }
        bytes.put(text.getBytes(StandardCharsets.ISO_8859_1));
        return Files.write(folder.resolve("bad.npy"), Arrays.copyOf(bytes.array(), bytes.position() + dataBytes));
    }

    private void assertMalformed(Path file, String problem) {
        long live = Memory.liveBytes();
        var e = assertThrows(MalformedFileException.class, () -> Npy.load(arena, file));
        assertEquals(file + ": offset " + problem, e.getMessage());
        assertEquals(live, Memory.liveBytes());
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '`', textBlock = """
            {D, F, 'shape': (1,)}; 3; 68: the file ends here, and [1] float32 takes 4 bytes after its header
            {D, F, 'shape': (1,)}; 5; 69: bytes follow the last element of [1] float32
            {D, F}; 4; 10: the header has the keys [descr, fortran_order] and needs [descr, fortran_order, shape]
            {D, D, F, 'shape': (1,)}; 4; 27: the key 'descr' appears twice
            {D, F, 'shape': (1,), 'x': 1}; 4; 10: the header has the keys [descr, fortran_order, shape, x] and needs [descr, fortran_order, shape]
            {D, F, 'shape': (1)}; 4; 60: the shape (1) is not a tuple
            {D, F, 'shape': [1]}; 4; 60: the shape [1] is not a tuple
            {D, F, 'shape': 1}; 4; 60: the shape 1 is not a tuple
            {D, F, 'shape': (,)}; 4; 60: the shape (,) has "", which is not a size
            {D, F, 'shape': (1,,)}; 4; 60: the shape (1,,) has "", which is not a size
            {D, F, 'shape': (-1,)}; 4; 60: the shape (-1,) has "-1", which is not a size
            {D, F, 'shape': (1.0,)}; 4; 60: the shape (1.0,) has "1.0", which is not a size
            {D, F, 'shape': (9223372036854775808,)}; 4; 60: the shape (9223372036854775808,) has "9223372036854775808", which is not a size
            {D, F, 'shape': (4294967296, 4294967296)}; 4; 60: the shape (4294967296, 4294967296) has more bytes than a long can count
            {D, 'fortran_order': 0, 'shape': (1,)}; 4; 44: fortran_order is 0 and neither True nor False
            {D, F, 'shape': (1,)} x; 4; 66: text follows the dict
            {D, F, 'shape': (1,); 4; 64: a , is missing here
            {D F}; 4; 10: the header has the keys [descr] and needs [descr, fortran_order, shape]
            {descr: '<f4'}; 4; 11: the key descr is not a string
            {'descr'}; 4; 18: a : is missing here
            (1,); 4; 10: a { is missing here
            ``; 4; 10: a { is missing here
            """)
    void whatTheHeaderMustNotBeIsNamed(String text, int dataBytes, String problem) throws IOException {
        String full = text.replace("D", "'descr': '<f4'").replace("F", "'fortran_order': False");
        assertMalformed(written(full, dataBytes), problem);
    }

    @Test
    void headersOfOtherWritersAreRead() throws IOException {
        for (String text : new String[] {
            "{\"shape\":(2L,3L),\"descr\":\"<f4\",\"fortran_order\":False}",
            "{ 'descr' : '<f4' ,\n 'fortran_order' : False , 'shape' : ( 2 , 3 , ) , } \n"
        }) {
            assertArrayEquals(
                    new long[] {2, 3}, Npy.load(arena, written(text, 24)).shape());
        }
    }

    @Test
    void whatIsNoNpyFileIsNamed() throws IOException {
        Path file = folder.resolve("bad.npy");
        Files.write(file, new byte[0]);
        assertMalformed(file, "0: the file ends within its header");
        Files.write(file, FilesOfPython.bytes("plain.npz"));
        assertMalformed(file, "0: this is not a .npy file: it does not begin with \\x93NUMPY");
        Files.write(file, Arrays.copyOf(FilesOfPython.bytes("float32.npy"), 100));
        assertMalformed(file, "100: the file ends within its header");
        byte[] later = FilesOfPython.bytes("float32.npy");
        later[6] = 4;
        assertMalformed(Files.write(file, later), "6: unknown version 4.0 of the format");
        assertMalformed(written(2, 10_001, "", 0), "8: a header of 10001 bytes is longer than 10000");
        assertMalformed(written(2, -1, "", 0), "8: a header of 4294967295 bytes is longer than 10000");
        byte[] bool = FilesOfPython.bytes("bool.npy");
        bool[bool.length - 1] = 3;
        assertMalformed(Files.write(file, bool), "133: an element of '|b1' is neither 0 nor 1");
    }

    @Test
    void damagedFilesAreReadOrRefused() throws IOException {
        byte[] good = FilesOfPython.bytes("float64.npy");
        var random = new Random(1);
        int refused = 0;
        for (int i = 0; i < 400; i++) {
            byte[] bad = good.clone();
            for (int k = 0; k <= random.nextInt(3); k++) {
                bad[random.nextInt(70)] = (byte) random.nextInt(256);
            }
            Path file = Files.write(
                    folder.resolve("bad.npy"), i % 10 == 0 ? Arrays.copyOf(bad, random.nextInt(bad.length)) : bad);
            try (Arena mine = Arena.ofConfined()) {
                Npy.load(mine, file).toString();
            } catch (IOException e) {
                refused++;
            }
        }
        assertTrue(refused > 200 && refused < 400, refused + " of 400 were refused");
    }
}
