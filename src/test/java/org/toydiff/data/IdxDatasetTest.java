package org.toydiff.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.data.TestFiles.bytes;
import static org.toydiff.data.TestFiles.gzip;
import static org.toydiff.data.TestFiles.idx;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.zip.ZipException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.Memory;
import org.toydiff.TensorArena;
import org.toydiff.io.MalformedFileException;

/// Pairs of IDX files: their batches, and the messages for files of another format.
class IdxDatasetTest extends ArenaTest {
    private static final byte[] LABELS = idx(bytes(7, 0, 255), 3);
    private static final byte[] IMAGES = idx(bytes(0, 1, 127, 128, 254, 255, 10, 20, 30, 40, 50, 60), 3, 2, 2);

    @TempDir
    private Path folder;

    private Path file(String name, byte[] content) throws IOException {
        return Files.write(folder.resolve(name), content);
    }

    private IdxDataset open(byte[] images, byte[] labels) throws IOException {
        return IdxDataset.open(file("images", images), file("labels", labels));
    }

    /// Opens a pair that must be refused, and sees that nothing is left of it.
    private String refused(byte[] images, byte[] labels) throws IOException {
        long live = Memory.liveBytes();
        Memory.resetPeak();
        var e = assertThrows(MalformedFileException.class, () -> open(images, labels));
        assertEquals(live, Memory.liveBytes());
        assertTrue(Memory.peakBytes() < live + (1 << 20), "allocated " + (Memory.peakBytes() - live));
        assertFalse(TestFiles.isMapped(folder));
        assertTrue(e.getMessage().startsWith(folder.toString()), e.getMessage());
        return e.getMessage().substring(folder.toString().length() + 1);
    }

    private String refusedImages(byte[] images) throws IOException {
        return refused(images, LABELS);
    }

    private static void requireExamples(IdxDataset set) {
        assertEquals(3, set.size());
        Batch batch = set.batch(2, 0, 2);
        assertArrayEquals(new long[] {3, 2, 2}, batch.x().shape());
        assertEquals(DType.FLOAT32, batch.x().dtype());
        float[] last = {30 / 255f, 40 / 255f, 50 / 255f, 60 / 255f};
        assertArrayEquals(last, batch.x().get(0).toFloatArray());
        assertArrayEquals(
                new float[] {0, 1 / 255f, 127 / 255f, 128 / 255f},
                batch.x().get(1).toFloatArray());
        assertArrayEquals(last, batch.x().get(2).toFloatArray());
        assertEquals(DType.INT64, batch.y().dtype());
        assertArrayEquals(new long[] {255, 7, 255}, batch.y().toLongArray());
    }

    @Test
    void aPlainPairIsMappedAndTakesNoMemory() throws IOException {
        IdxDataset set = open(IMAGES, LABELS);
        assertEquals(0, arena.liveBytes());
        requireExamples(set);
    }

    @Test
    void aGzipPairIsDecompressedByteForByte() throws IOException {
        byte[] pixels = new byte[5 * 100 * 101];
        new Random(1).nextBytes(pixels);
        Path images = file("images.gz", gzip(idx(pixels, 5, 100, 101)));
        IdxDataset set = IdxDataset.open(images, file("labels.gz", gzip(idx(bytes(0, 1, 2, 3, 4), 5))));
        assertTrue(arena.liveBytes() < pixels.length + 8192, "" + arena.liveBytes());
        float[] expected = new float[pixels.length];
        for (int i = 0; i < pixels.length; i++) {
            expected[i] = (pixels[i] & 0xff) / 255f;
        }
        Batch all = set.batch(0, 1, 2, 3, 4);
        assertArrayEquals(expected, all.x().toFloatArray());
        assertArrayEquals(new long[] {0, 1, 2, 3, 4}, all.y().toLongArray());
    }

    @Test
    void gzipAndPlainFilesMix() throws IOException {
        requireExamples(open(gzip(IMAGES), LABELS));
        requireExamples(open(IMAGES, gzip(LABELS)));
    }

    @Test
    void noExamplesMakeAnEmptyBatch() throws IOException {
        Batch none = open(IMAGES, LABELS).batch();
        assertArrayEquals(new long[] {0, 2, 2}, none.x().shape());
        assertArrayEquals(new long[] {0}, none.y().shape());
    }

    @Test
    void otherTypesAreTakenAsTheyAre() throws IOException {
        byte[] labels = idx(bytes(3, 4), 2);
        assertArrayEquals(new float[] {-1, 127}, all(0x09, bytes(255, 127), labels));
        assertArrayEquals(new float[] {-2, 256}, all(0x0b, bytes(255, 254, 1, 0), labels));
        assertArrayEquals(new float[] {-2, 1 << 24}, all(0x0c, bytes(255, 255, 255, 254, 1, 0, 0, 0), labels));
        byte[] floats = ByteBuffer.allocate(8).putFloat(0.1f).putFloat(-3e38f).array();
        assertArrayEquals(new float[] {0.1f, -3e38f}, all(0x0d, floats, labels));
        byte[] doubles = ByteBuffer.allocate(16).putDouble(0.1).putDouble(1e-50).array();
        assertArrayEquals(new float[] {0.1f, 0}, all(0x0e, doubles, labels));
    }

    private float[] all(int type, byte[] elements, byte[] labels) throws IOException {
        return open(idx(type, elements, 2, 1), labels).batch(0, 1).x().toFloatArray();
    }

    @Test
    void labelsMayBeOfEveryIntegerType() throws IOException {
        byte[] images = idx(bytes(1, 2), 2);
        assertArrayEquals(new long[] {-1, 127}, labels(images, 0x09, bytes(255, 127)));
        assertArrayEquals(new long[] {-2, 256}, labels(images, 0x0b, bytes(255, 254, 1, 0)));
        assertArrayEquals(new long[] {-2, 1 << 24}, labels(images, 0x0c, bytes(255, 255, 255, 254, 1, 0, 0, 0)));
    }

    private long[] labels(byte[] images, int type, byte[] elements) throws IOException {
        return open(images, idx(type, elements, 2)).batch(0, 1).y().toLongArray();
    }

    /// 13 GB, of which a few pages are written.
    @Test
    void aPlainFileMayBeLargerThanMemory() throws IOException {
        int rows = 1_600_000;
        int columns = 8192;
        Path images = folder.resolve("large");
        try (var file = new RandomAccessFile(images.toFile(), "rw")) {
            file.write(idx(new byte[0], rows, columns));
            file.setLength(12 + (long) rows * columns);
            file.seek(12 + (rows - 1L) * columns);
            file.write(51);
        }
        IdxDataset set = IdxDataset.open(images, file("labels", idx(new byte[rows], rows)));
        Batch batch = set.batch(rows - 1, 0);
        assertEquals(51 / 255f, batch.x().at(0, 0));
        assertEquals(0, batch.x().at(1, 0));
    }

    @Test
    void closingTheArenaEndsTheMapping() throws IOException {
        IdxDataset set;
        try (var inner = TensorArena.ofConfined()) {
            set = open(IMAGES, LABELS);
            assertTrue(TestFiles.isMapped(folder) || !Files.exists(Path.of("/proc/self/maps")));
        }
        assertFalse(TestFiles.isMapped(folder));
        assertEquals(
                "batch: the arena in which " + folder.resolve("images")
                        + " was opened is closed; open it in one that outlives the set",
                assertThrows(IllegalStateException.class, () -> set.batch(0)).getMessage());
    }

    @Test
    void aConfinedSetIsRefusedOnAnotherThread() throws IOException {
        IdxDataset set = open(IMAGES, LABELS);
        var read = CompletableFuture.runAsync(() -> set.batch(0));
        var e = assertThrows(CompletionException.class, read::join);
        assertEquals(WrongThreadException.class, e.getCause().getClass());
        assertTrue(e.getCause().getMessage().contains("TensorArena.ofShared()"), e.getMessage());
    }

    @Test
    void positionsOutsideAreRefused() throws IOException {
        IdxDataset set = open(IMAGES, LABELS);
        long live = arena.liveBytes();
        for (long position : new long[] {-1, 3, Long.MAX_VALUE}) {
            assertEquals(
                    "batch: position " + position + " is not in a set of 3 examples",
                    assertThrows(IndexOutOfBoundsException.class, () -> set.batch(0, position))
                            .getMessage());
        }
        assertEquals(live, arena.liveBytes());
    }

    @Test
    void aMissingFileIsNamed() {
        Path nowhere = folder.resolve("nowhere");
        var e = assertThrows(NoSuchFileException.class, () -> IdxDataset.open(nowhere, nowhere));
        assertEquals(nowhere.toString(), e.getMessage());
    }

    @Test
    void filesOfOtherFormatsAreRefused() throws IOException {
        assertEquals(
                "images: offset 0: 0x89504e47 is not the magic number of an IDX file",
                refusedImages(bytes(0x89, 'P', 'N', 'G', 13, 10, 26, 10)));
        assertEquals(
                "images: offset 2: 0x0a is not an element type of IDX", refusedImages(idx(0x0a, bytes(1, 2, 3), 3)));
        assertEquals("images: offset 3: the array has no axes; examples need one", refusedImages(bytes(0, 0, 8, 0, 1)));
    }

    @Test
    void filesThatEndInTheHeaderAreRefused() throws IOException {
        for (int length = 0; length < 16; length++) {
            String expected = "images: offset " + length + ": the file ends within its header";
            assertEquals(expected, refusedImages(Arrays.copyOf(IMAGES, length)));
            assertEquals(expected, refusedImages(gzip(Arrays.copyOf(IMAGES, length))));
        }
    }

    @Test
    void aPlainFileMustHaveTheLengthOfItsHeader() throws IOException {
        assertEquals(
                "images: offset 27: the file ends here, but [3, 2, 2] UNSIGNED_BYTE takes 12 bytes after the header",
                refusedImages(Arrays.copyOf(IMAGES, IMAGES.length - 1)));
        assertEquals(
                "images: offset 28: bytes follow the last element of [3, 2, 2] UNSIGNED_BYTE",
                refusedImages(Arrays.copyOf(IMAGES, IMAGES.length + 1)));
    }

    @Test
    void aGzipFileMustHaveTheLengthOfItsHeader() throws IOException {
        assertEquals(
                "images: offset 27: the data ends here, but [3, 2, 2] UNSIGNED_BYTE takes 12 bytes after the header",
                refusedImages(gzip(Arrays.copyOf(IMAGES, IMAGES.length - 1))));
        assertEquals(
                "images: offset 28: bytes follow the last element of [3, 2, 2] UNSIGNED_BYTE",
                refusedImages(gzip(Arrays.copyOf(IMAGES, IMAGES.length + 1))));
    }

    @Test
    void aBombIsLeftAtTheSizeThatItDeclares() throws IOException {
        byte[] bomb = Arrays.copyOf(IMAGES, 200 << 20);
        assertEquals(
                "images: offset 28: bytes follow the last element of [3, 2, 2] UNSIGNED_BYTE",
                refusedImages(gzip(bomb)));
    }

    @Test
    void aGzipFileTooSmallForItsHeaderAllocatesNothing() throws IOException {
        byte[] packed = gzip(idx(new byte[100], 1 << 30));
        assertEquals(
                "images: offset 4: [1073741824] UNSIGNED_BYTE takes 1073741824 bytes, which " + packed.length
                        + " compressed bytes cannot hold",
                refusedImages(packed));
    }

    @Test
    void sizesThatAreNoneOrTooLargeAreRefused() throws IOException {
        assertEquals(
                "images: offset 4: axis 0 has size 0; there are no examples", refusedImages(idx(bytes(), 0, 2, 2)));
        assertEquals(
                "images: offset 8: axis 1 has size -1; there are no examples", refusedImages(idx(bytes(), 3, -1, 2)));
        int most = Integer.MAX_VALUE;
        assertEquals(
                "images: offset 8: the array has more bytes than a long can count",
                refusedImages(idx(0x0e, bytes(), most, most, most)));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 9, 10, 20, 30})
    void damagedGzipIsRefusedWherever(int at) throws IOException {
        byte[] packed = gzip(IMAGES);
        byte[] cut = Arrays.copyOf(packed, Math.max(2, at));
        assertTrue(refusedImages(cut).startsWith("images: offset "), refusedImages(cut));
        byte[] damaged = packed.clone();
        damaged[at] ^= 0x55;
        if (at < 3 || at >= 10) {
            assertTrue(refusedImages(damaged).startsWith("images: offset "), refusedImages(damaged));
        }
    }

    @Test
    void aWrongChecksumIsRefused() throws IOException {
        byte[] packed = gzip(IMAGES);
        packed[packed.length - 8] ^= 1;
        file("labels", LABELS);
        var e = assertThrows(
                MalformedFileException.class, () -> IdxDataset.open(file("images", packed), folder.resolve("labels")));
        assertEquals(ZipException.class, e.getCause().getClass());
        assertEquals(
                folder.resolve("images") + ": offset 28: the gzip data is damaged or truncated: Corrupt GZIP trailer",
                e.getMessage());
    }

    @Test
    void aDamagedLabelsFileLeavesNothingOfTheImages() throws IOException {
        byte[] labels = gzip(Arrays.copyOf(LABELS, LABELS.length - 1));
        String expected = "labels: offset 10: the data ends here, but [3] UNSIGNED_BYTE takes 3 bytes after the header";
        assertEquals(expected, refused(gzip(IMAGES), labels));
        assertEquals(expected, refused(IMAGES, labels));
    }

    @Test
    void labelsMustBeIntegersForEveryImage() throws IOException {
        assertEquals(
                "labels: offset 4: 2 labels do not match the 3 examples of " + folder.resolve("images"),
                refused(IMAGES, idx(bytes(1, 2), 2)));
        assertEquals(
                "labels: offset 3: labels have one axis, but the shape of the array is [3, 1]",
                refused(IMAGES, idx(bytes(1, 2, 3), 3, 1)));
        assertEquals(
                "labels: offset 2: labels are integers, but the elements are FLOAT",
                refused(IMAGES, idx(0x0d, new byte[12], 3)));
    }

    @Test
    void withoutAnArenaTheFixIsShown() throws IOException {
        Path images = file("images", IMAGES);
        Path labels = file("labels", LABELS);
        var opening = CompletableFuture.supplyAsync(
                () -> assertThrows(IllegalStateException.class, () -> IdxDataset.open(images, labels)));
        assertTrue(opening.join().getMessage().contains("TensorArena.ofConfined()"));
    }
}
