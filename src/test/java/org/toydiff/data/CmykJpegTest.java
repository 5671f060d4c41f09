package org.toydiff.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.ArenaTest;
import org.toydiff.Tensor;

/// JPEG files of four inks have the colours that other readers show.
class CmykJpegTest extends ArenaTest {
    private static final int N = 16;

    @TempDir
    private Path root;

    /// A file of one colour, the four samples as they are stored, and markers that are put before the rest.
    private Path write(int[] samples, byte[]... markers) throws IOException {
        WritableRaster raster = Raster.createInterleavedRaster(DataBuffer.TYPE_BYTE, N, N, 4, null);
        for (int i = 0; i < N * N; i++) {
            raster.setPixel(i % N, i / N, samples);
        }
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        var bytes = new ByteArrayOutputStream();
        try (var out = new MemoryCacheImageOutputStream(bytes)) {
            writer.setOutput(out);
            ImageWriteParam best = writer.getDefaultWriteParam();
            best.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            best.setCompressionQuality(1);
            writer.write(null, new IIOImage(raster, null, null), best);
        } finally {
            writer.dispose();
        }
        byte[] plain = bytes.toByteArray();
        var marked = new ByteArrayOutputStream();
        marked.write(plain, 0, 2);
        for (byte[] marker : markers) {
            marked.write(marker);
        }
        marked.write(plain, 2, plain.length - 2);
        Path folder = Files.createDirectories(root.resolve("class"));
        return Files.write(folder.resolve("x.jpg"), marked.toByteArray());
    }

    private static byte[] adobe(int transform) {
        return marker(
                0xee,
                ByteBuffer.allocate(12)
                        .put("Adobe".getBytes(StandardCharsets.US_ASCII))
                        .put(11, (byte) transform)
                        .array());
    }

    private static byte[] marker(int code, byte[] content) {
        return ByteBuffer.allocate(4 + content.length)
                .put((byte) 0xff)
                .put((byte) code)
                .putShort((short) (content.length + 2))
                .put(content)
                .array();
    }

    private void requireColour(int red, int green, int blue) throws IOException {
        int[] expected = {red, green, blue};
        Tensor x = ImageFolder.open(root).batch(0).x();
        for (int channel = 0; channel < 3; channel++) {
            for (int i : new int[] {0, N / 2, N - 1}) {
                assertEquals(expected[channel], x.at(0, channel, i, i) * 255, 1.01, Arrays.toString(expected));
            }
        }
    }

    @Test
    void withoutAMarkerASampleIsAnInk() throws IOException {
        write(new int[] {16, 117, 146, 0});
        requireColour(239, 138, 109);
        write(new int[] {0, 0, 0, 0});
        requireColour(255, 255, 255);
        write(new int[] {0, 0, 0, 255});
        requireColour(0, 0, 0);
        write(new int[] {51, 0, 255, 102});
        requireColour(122, 153, 0);
    }

    @Test
    void adobesInksAreInverted() throws IOException {
        write(new int[] {239, 138, 109, 255}, adobe(0));
        requireColour(239, 138, 109);
        write(new int[] {204, 255, 0, 153}, adobe(0));
        requireColour(122, 153, 0);
    }

    /// Luma and chroma are those of the inks, as the inverted ones are stored: T.871's formulas by hand.
    @Test
    void threeOfAdobesInksMayBeLumaAndChroma() throws IOException {
        int[] inks = {16, 117, 146};
        double luma = 0.299 * inks[0] + 0.587 * inks[1] + 0.114 * inks[2];
        int cb = (int) Math.round(128 + (inks[2] - luma) / 1.772);
        int cr = (int) Math.round(128 + (inks[0] - luma) / 1.402);
        write(new int[] {(int) Math.round(luma), cb, cr, 255}, adobe(2));
        requireColour(239, 138, 109);
    }

    @Test
    void anEmbeddedProfileDeterminesTheColours() throws IOException {
        byte[] profile = middleGrey();
        byte[] first = Arrays.copyOfRange(profile, 0, 700);
        byte[] second = Arrays.copyOfRange(profile, 700, profile.length);
        write(new int[] {16, 117, 146, 0}, piece(1, 2, first), piece(2, 2, second));
        requireColour(119, 119, 119);
        write(new int[] {16, 117, 146, 0}, adobe(0), piece(1, 1, profile));
        requireColour(119, 119, 119);
    }

    @Test
    void anInvalidProfileIsNamed() throws IOException {
        Path file = write(new int[] {16, 117, 146, 0}, piece(1, 1, new byte[200]));
        ImageFolder set = ImageFolder.open(root);
        var e = assertThrows(UncheckedIOException.class, () -> set.batch(0));
        assertTrue(e.getMessage().startsWith(file + ": "), e.getMessage());
        assertTrue(e.getMessage().contains("damaged"), e.getMessage());
    }

    private static byte[] piece(int number, int all, byte[] bytes) {
        return marker(
                0xe2,
                ByteBuffer.allocate(14 + bytes.length)
                        .put("ICC_PROFILE\0".getBytes(StandardCharsets.US_ASCII))
                        .put((byte) number)
                        .put((byte) all)
                        .put(bytes)
                        .array());
    }

    /// A profile that shows whatever inks as L* = 50, which is 119 in sRGB: ICC.1:2022, 7 and 10.10.
    private static byte[] middleGrey() {
        int tableBytes = 48 + 4 * 256 + 16 * 3 + 3 * 256;
        int size = 128 + 4 + 12 + tableBytes;
        ByteBuffer profile = ByteBuffer.allocate(size);
        profile.putInt(0, size).putInt(8, 0x02400000);
        put(profile, 12, "prtrCMYKLab ");
        put(profile, 36, "acsp");
        profile.putInt(68, 0xf6d6).putInt(72, 0x10000).putInt(76, 0xd32d);
        profile.putInt(128, 1);
        put(profile, 132, "A2B0");
        profile.putInt(136, 144).putInt(140, tableBytes);
        put(profile, 144, "mft1");
        profile.put(152, (byte) 4).put(153, (byte) 3).put(154, (byte) 2);
        for (int i = 0; i < 3; i++) {
            profile.putInt(156 + 16 * i, 0x10000);
        }
        profile.position(192);
        for (int i = 0; i < 4 * 256; i++) {
            profile.put((byte) i);
        }
        for (int i = 0; i < 16 * 3; i++) {
            profile.put((byte) 128);
        }
        for (int i = 0; i < 3 * 256; i++) {
            profile.put((byte) i);
        }
        return profile.array();
    }

    private static void put(ByteBuffer profile, int at, String signature) {
        profile.put(at, signature.getBytes(StandardCharsets.US_ASCII));
    }
}
