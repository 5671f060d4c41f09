package org.toydiff.data;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Locale;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.toydiff.io.MalformedFileException;

/// Decodes images to floats of one size, as greyscale or RGB. The only class that needs java.desktop.
///
/// @param height the rows of every image
/// @param width the columns of every image
/// @param channels 1 for greyscale, 3 for RGB
/// @param resizing whether images of other sizes are resized
record ImageDecoder(int height, int width, int channels, boolean resizing) {
    /// An image whose header claims more is taken for an attack on memory; the limit is close to the one from which
    /// Pillow warns: https://pillow.readthedocs.io/en/stable/reference/Image.html, MAX_IMAGE_PIXELS.
    static final long MAX_PIXELS = 1L << 26;

    /// Returns a decoder to RGB in the size of an image.
    static ImageDecoder like(Path file) throws IOException {
        return reading(file, reader -> {
            var size = new ImageDecoder(reader.getHeight(0), reader.getWidth(0), 3, false);
            size.requireSize(file, size.height, size.width);
            return size;
        });
    }

    ImageDecoder grey() {
        return new ImageDecoder(height, width, 1, resizing);
    }

    ImageDecoder resized(int height, int width) {
        return new ImageDecoder(height, width, channels, true);
    }

    /// Reads an image to position `i` of a batch.
    void read(Path file, MemorySegment batch, long i) throws IOException {
        BufferedImage image = reading(file, reader -> {
            requireSize(file, reader.getHeight(0), reader.getWidth(0));
            return hasInks(reader) ? inks(file, reader) : reader.read(0);
        });
        int planeSize = image.getHeight() * image.getWidth();
        float[] planes = new float[channels * planeSize];
        fill(planes, image);
        if (resizing) {
            planes = Resampling.resize(planes, channels, image.getHeight(), image.getWidth(), height, width);
        }
        MemorySegment.copy(planes, 0, batch, JAVA_FLOAT, i * planes.length * Float.BYTES, planes.length);
    }

    private void requireSize(Path file, int rows, int columns) throws IOException {
        if (!resizing && (rows != height || columns != width)) {
            throw new MalformedFileException(
                    file,
                    "size",
                    "the image is " + rows + " × " + columns + ", but the first is " + height + " × " + width
                            + "; call resize(height, width) to give all one size");
        }
        if ((long) rows * columns > MAX_PIXELS) {
            throw new MalformedFileException(file, "size", "an image of " + rows + " × " + columns + " is too large");
        }
    }

    private static boolean hasInks(ImageReader reader) throws IOException {
        Iterator<ImageTypeSpecifier> types = reader.getImageTypes(0);
        return types.hasNext() && types.next().getColorModel().getColorSpace().getType() == ColorSpace.TYPE_CMYK;
    }

    private static BufferedImage inks(Path file, ImageReader reader) throws IOException {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
            return CmykJpeg.of(in).image(reader.readRaster(0, null));
        }
    }

    private interface Use<T> {
        T apply(ImageReader reader) throws IOException;
    }

    private static <T> T reading(Path file, Use<T> use) throws IOException {
        // Through a stream: a path of another file system, or one whose name is not text, has no File.
        try (InputStream bytes = Files.newInputStream(file);
                ImageInputStream in = new MemoryCacheImageInputStream(bytes)) {
            ImageReader reader = readerOf(in);
            if (reader == null) {
                throw MalformedFileException.at(file, 0, "the file is neither PNG nor JPEG");
            }
            try {
                reader.setInput(in, true, true);
                return use.apply(reader);
            } catch (MalformedFileException e) {
                throw e;
            } catch (IOException | RuntimeException e) {
                // The JDK's readers throw exceptions of every kind for damaged data.
                throw new MalformedFileException(
                        file, "offset " + in.getStreamPosition(), "the image is damaged: " + e.getMessage(), e);
            } finally {
                reader.dispose();
            }
        } catch (IOException e) {
            throw GzipInput.explained(file, "offset 0", e);
        }
    }

    private static ImageReader readerOf(ImageInputStream in) throws IOException {
        Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
        while (readers.hasNext()) {
            ImageReader reader = readers.next();
            String format = reader.getFormatName().toLowerCase(Locale.ROOT);
            if (format.equals("png") || format.equals("jpeg")) {
                return reader;
            }
        }
        return null;
    }

    private void fill(float[] planes, BufferedImage image) {
        int width = image.getWidth();
        int size = width * image.getHeight();
        int[] row = new int[width];
        for (int y = 0; y < image.getHeight(); y++) {
            rgb(image, y, row);
            for (int x = 0; x < width; x++) {
                int at = y * width + x;
                int red = row[x] >> 16 & 0xff;
                int green = row[x] >> 8 & 0xff;
                int blue = row[x] & 0xff;
                if (channels == 1) {
                    // The weights in units of 2⁻¹⁶, which sum to 1, plus one half to round.
                    planes[at] = Pixels.scaled((19595 * red + 38470 * green + 7471 * blue + (1 << 15)) >> 16);
                } else {
                    planes[at] = Pixels.scaled(red);
                    planes[size + at] = Pixels.scaled(green);
                    planes[2 * size + at] = Pixels.scaled(blue);
                }
            }
        }
    }

    /// Reads a row as RGB. The samples of greyscale images are copied; [BufferedImage#getRGB] would convert them
    /// from linear light and so change them.
    private static void rgb(BufferedImage image, int y, int[] row) {
        Raster raster = image.getRaster();
        boolean grey = image.getColorModel().getColorSpace().getNumComponents() == 1;
        if (!grey) {
            image.getRGB(0, y, row.length, 1, row, 0, row.length);
            return;
        }
        int excess = Math.max(0, image.getColorModel().getComponentSize(0) - 8);
        for (int x = 0; x < row.length; x++) {
            row[x] = (raster.getSample(x, y, 0) >> excess) * 0x010101;
        }
    }
}
