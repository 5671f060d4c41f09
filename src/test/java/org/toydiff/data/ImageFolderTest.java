package org.toydiff.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.Golden;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.io.MalformedFileException;

/// Folders of images: their order, their pixels, and the messages for files that are not images.
class ImageFolderTest extends ArenaTest {
    @TempDir
    private Path root;

    private static Path committed() throws URISyntaxException {
        return Path.of(Golden.class.getResource("images").toURI());
    }

    private Path write(String name, Color colour, int height, int width) throws IOException {
        Path file = root.resolve(name);
        Files.createDirectories(file.getParent());
        var image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                image.setRGB(x, y, colour.getRGB());
            }
        }
        String format = name.toLowerCase(java.util.Locale.ROOT).endsWith("png") ? "png" : "jpeg";
        assertTrue(ImageIO.write(image, format, file.toFile()));
        return file;
    }

    private static String refusedFile(Dataset set, long index) {
        var e = assertThrows(UncheckedIOException.class, () -> set.batch(index));
        assertEquals(MalformedFileException.class, e.getCause().getClass());
        assertEquals(e.getCause().getMessage(), e.getMessage());
        return e.getMessage();
    }

    @Test
    void pngFilesOfEveryKindAreDecodedExactly() throws Exception {
        ImageFolder set = ImageFolder.open(committed());
        ImageFolder greySet = ImageFolder.open(committed()).grey();
        assertEquals(List.of("a_colour", "b_indexed", "c_grey"), set.classes());
        Map<String, Golden.Array> expected = new HashMap<>();
        for (Golden.Case one : Golden.cases("golden_data.txt")) {
            if (one.name().startsWith("png ")) {
                expected.put(one.name().substring(4), one.all("out").getFirst());
            }
        }
        assertEquals(expected.size(), set.size());
        for (int i = 0; i < set.size(); i++) {
            String name = committed().relativize(set.file(i)).toString();
            double[] bytes = expected.remove(name).values();
            Batch batch = set.batch(i);
            assertArrayEquals(new long[] {1, 3, 3, 4}, batch.x().shape());
            assertArrayEquals(scaled(bytes), batch.x().toFloatArray(), name);
            assertEquals(name.charAt(0) - 'a', batch.y().item(), name);
            Batch grey = greySet.batch(i);
            assertArrayEquals(new long[] {1, 1, 3, 4}, grey.x().shape());
            assertArrayEquals(grey(bytes), grey.x().toFloatArray(), name);
        }
    }

    private static float[] scaled(double[] bytes) {
        float[] scaled = new float[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            scaled[i] = (float) bytes[i] / 255;
        }
        return scaled;
    }

    private static float[] grey(double[] bytes) {
        int n = bytes.length / 3;
        double[] grey = new double[n];
        for (int i = 0; i < n; i++) {
            grey[i] = Math.rint(0.299 * bytes[i] + 0.587 * bytes[n + i] + 0.114 * bytes[2 * n + i]);
        }
        return scaled(grey);
    }

    @Test
    void classesAndFilesAreSortedByNameAndOthersLeftOut() throws IOException {
        write("dog/b.png", Color.BLUE, 2, 3);
        write("dog/a.PNG", Color.RED, 2, 3);
        write("cat/2.jpg", Color.WHITE, 2, 3);
        write("cat/10.jpeg", Color.BLACK, 2, 3);
        write("dog/deeper/c.png", Color.GREEN, 2, 3);
        Files.writeString(root.resolve("dog/notes.txt"), "no image");
        Files.writeString(root.resolve("README.png"), "no class");
        ImageFolder set = ImageFolder.open(root);
        assertEquals(List.of("cat", "dog"), set.classes());
        List<String> names = IntStream.range(0, (int) set.size())
                .mapToObj(i -> root.relativize(set.file(i)).toString())
                .toList();
        assertEquals(List.of("cat/10.jpeg", "cat/2.jpg", "dog/a.PNG", "dog/b.png"), names);
        Batch batch = set.batch(2, 0, 3, 1);
        assertEquals(DType.INT64, batch.y().dtype());
        assertArrayEquals(new long[] {1, 0, 1, 0}, batch.y().toLongArray());
        assertArrayEquals(new long[] {4, 3, 2, 3}, batch.x().shape());
        float[] red = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        assertArrayEquals(red, batch.x().get(0).toFloatArray());
        assertArrayEquals(new float[18], batch.x().get(1).toFloatArray());
        assertThrows(IndexOutOfBoundsException.class, () -> set.file(4));
        assertThrows(IndexOutOfBoundsException.class, () -> set.batch(0, -1));
    }

    @Test
    void jpegFilesAreNearTheirColours() throws IOException {
        write("a/a.jpg", new Color(10, 200, 100), 8, 8);
        float[] pixels = ImageFolder.open(root).batch(0).x().toFloatArray();
        for (int i = 0; i < 64; i++) {
            assertEquals(10 / 255f, pixels[i], 3 / 255f);
            assertEquals(200 / 255f, pixels[64 + i], 3 / 255f);
            assertEquals(100 / 255f, pixels[128 + i], 3 / 255f);
        }
    }

    @Test
    void resizingMatchesPyTorch() throws IOException {
        int cases = 0;
        for (Golden.Case one : Golden.cases("golden_data.txt")) {
            if (one.name().equals("resize")) {
                Tensor in = one.all("in").getFirst().tensor();
                Golden.Array out = one.all("out").getFirst();
                int[] from =
                        Arrays.stream(in.shape()).mapToInt(Math::toIntExact).toArray();
                int[] to = Arrays.stream(out.shape()).mapToInt(Math::toIntExact).toArray();
                float[] resized = Resampling.resize(in.toFloatArray(), from[1], from[2], from[3], to[2], to[3]);
                out.requireEqual(Tensor.of(resized, out.shape()), "resize " + Arrays.toString(to));
                cases++;
            }
        }
        assertEquals(6, cases);
    }

    @Test
    void imagesOfOtherSizesAreResizedOnlyIfAsked() throws IOException {
        write("a/1.png", Color.RED, 2, 3);
        Path wide = write("a/2.png", Color.BLUE, 2, 4);
        ImageFolder set = ImageFolder.open(root);
        assertEquals(1, set.batch(0).size());
        assertEquals(
                wide
                        + ": size: the image is 2 × 4, but the first is 2 × 3; call resize(height, width) to give all one size",
                refusedFile(set, 1));
        Batch batch = ImageFolder.open(root).resize(5, 1).batch(1, 0);
        assertArrayEquals(new long[] {2, 3, 5, 1}, batch.x().shape());
        float[] blue = new float[15];
        Arrays.fill(blue, 10, 15, 1);
        assertArrayEquals(blue, batch.x().get(0).toFloatArray(), 1e-6f);
        assertArrayEquals(
                new long[] {2, 1, 5, 1},
                ImageFolder.open(root).grey().resize(5, 1).batch(0, 1).x().shape());
        assertArrayEquals(
                new long[] {2, 1, 5, 1},
                ImageFolder.open(root).resize(5, 1).grey().batch(0, 1).x().shape());
        for (int[] size : new int[][] {{0, 1}, {1, -1}, {1 << 14, 1 << 13}}) {
            assertThrows(IllegalArgumentException.class, () -> set.resize(size[0], size[1]));
        }
    }

    @Test
    void settingsCannotChangeOnceABatchWasRead() throws IOException {
        write("a/1.png", Color.RED, 2, 3);
        ImageFolder set = ImageFolder.open(root);
        Dataset part = set.slice(0, 1);
        assertSame(set, set.grey());
        assertSame(set, set.resize(4, 6));
        assertArrayEquals(new long[] {1, 1, 4, 6}, part.batch(0).x().shape());
        assertEquals(
                "ImageFolder: resize cannot change once a batch was read; set it before, or open the folder again",
                assertThrows(IllegalStateException.class, () -> set.resize(1, 1))
                        .getMessage());
        assertThrows(IllegalStateException.class, set::grey);
        assertArrayEquals(new long[] {1, 1, 4, 6}, set.batch(0).x().shape());
    }

    @Test
    void aBatchThatFailsLeavesNoMemory() throws IOException {
        write("a/1.png", Color.RED, 2, 3);
        Path broken = Files.writeString(root.resolve("a/2.png"), "not a PNG file");
        ImageFolder set = ImageFolder.open(root);
        long live = arena.liveBytes();
        assertThrows(UncheckedIOException.class, () -> set.batch(0, 1));
        assertEquals(live, arena.liveBytes());
        assertEquals(broken + ": offset 0: the file is neither PNG nor JPEG", refusedFile(set, 1));
    }

    @Test
    void filesThatAreNoImagesAreNamed() throws IOException {
        write("a/1.png", Color.RED, 20, 30);
        byte[] png = Files.readAllBytes(root.resolve("a/1.png"));
        byte[] jpeg = Files.readAllBytes(write("a/2.jpg", Color.RED, 20, 30));
        Path empty = Files.write(root.resolve("a/3.png"), new byte[0]);
        Path cut = Files.write(root.resolve("a/4.png"), Arrays.copyOf(png, png.length / 2));
        Path noSize = Files.write(root.resolve("a/5.jpg"), Arrays.copyOf(jpeg, 20));
        byte[] gif = "GIF89a\1\0\1\0\0\0\0;".getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
        Path other = Files.write(root.resolve("a/6.png"), gif);
        ImageFolder set = ImageFolder.open(root);
        assertEquals(empty + ": offset 0: the file is neither PNG nor JPEG", refusedFile(set, 2));
        assertTrue(refusedFile(set, 3).startsWith(cut + ": offset "), refusedFile(set, 3));
        assertTrue(refusedFile(set, 4).startsWith(noSize + ": offset "), refusedFile(set, 4));
        assertEquals(other + ": offset 0: the file is neither PNG nor JPEG", refusedFile(set, 5));
    }

    @Test
    void damageAnywhereIsAnErrorOrAnImage() throws IOException {
        write("a/1.png", Color.RED, 6, 5);
        for (String name : new String[] {"a/2.png", "a/3.jpg"}) {
            Path file = write(name, Color.ORANGE, 6, 5);
            byte[] whole = Files.readAllBytes(file);
            for (int at = 0; at < whole.length; at++) {
                byte[] damaged = whole.clone();
                damaged[at] ^= (byte) 0xff;
                Files.write(file, damaged);
                ImageFolder set = ImageFolder.open(root);
                try {
                    assertEquals(1, set.batch(set.size() - 1).size());
                } catch (UncheckedIOException e) {
                    assertTrue(e.getMessage().startsWith(file + ": "), e.getMessage());
                }
            }
        }
    }

    @Test
    void anImageThatClaimsToBeHugeIsNotRead() throws IOException {
        Path file = write("a/1.png", Color.RED, 6, 5);
        byte[] png = Files.readAllBytes(file);
        java.nio.ByteBuffer.wrap(png).putInt(16, 100_000).putInt(20, 100_000);
        var checksum = new java.util.zip.CRC32();
        checksum.update(png, 12, 17);
        java.nio.ByteBuffer.wrap(png).putInt(29, (int) checksum.getValue());
        Files.write(file, png);
        assertEquals(
                file + ": size: an image of 100000 × 100000 is too large",
                assertThrows(MalformedFileException.class, () -> ImageFolder.open(root))
                        .getMessage());
        write("a/0.png", Color.RED, 6, 5);
        assertEquals(
                file + ": size: an image of 100000 × 100000 is too large",
                refusedFile(ImageFolder.open(root).resize(2, 2), 1));
    }

    @Test
    void foldersWithoutImagesAreNamed() throws IOException {
        assertEquals(
                root + ": root folder: the folder has no folders; it must have one for each class",
                assertThrows(MalformedFileException.class, () -> ImageFolder.open(root))
                        .getMessage());
        write("a/1.png", Color.RED, 2, 2);
        Path empty = Files.createDirectory(root.resolve("b"));
        assertEquals(
                empty + ": class folder: the folder has no PNG or JPEG file",
                assertThrows(MalformedFileException.class, () -> ImageFolder.open(root))
                        .getMessage());
        assertThrows(NoSuchFileException.class, () -> ImageFolder.open(root.resolve("nowhere")));
    }

    @Test
    void aFileThatVanishesIsNamed() throws IOException {
        write("a/1.png", Color.RED, 2, 2);
        Path gone = write("a/2.png", Color.RED, 2, 2);
        ImageFolder set = ImageFolder.open(root);
        Files.delete(gone);
        var e = assertThrows(UncheckedIOException.class, () -> set.batch(1));
        assertTrue(e.getMessage().startsWith(gone.toString()), e.getMessage());
    }

    @Test
    void severalThreadsReadAtOnce() throws IOException {
        for (int i = 0; i < 16; i++) {
            write("a/" + (char) ('a' + i) + ".png", new Color(i, 2 * i, 3 * i), 4, 4);
        }
        ImageFolder set = ImageFolder.open(root);
        List<CompletableFuture<Void>> readers = IntStream.range(0, 8)
                .mapToObj(thread -> CompletableFuture.runAsync(() -> {
                    try (var own = TensorArena.ofConfined()) {
                        for (int i = 0; i < 16; i++) {
                            assertEquals(i / 255f, set.batch(i).x().at(0, 0, 0, 0));
                        }
                    }
                }))
                .toList();
        readers.forEach(CompletableFuture::join);
    }
}
