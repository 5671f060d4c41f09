package org.toydiff.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.io.MalformedFileException;

/// PNG and JPEG images in folders, one folder for each class, in the layout of PyTorch's ImageFolder:
/// `root/cat/1.png`, `root/dog/2.jpg`.
///
/// ```java
/// Dataset pets = ImageFolder.open(Path.of("pets")).resize(64, 64).grey();
/// ```
///
/// Classes are numbered in the order of the names of their folders, the images of a class in the order of the names
/// of their files. Files with other endings and files in nested folders are left out. An image is read from its file
/// for every batch that contains it. The inputs of a batch are FLOAT32 `[n, channels, height, width]`, 0 to 1
/// (`value/255`); transparency is dropped. JPEG files of four inks (CMYK) become RGB by their embedded profile, or
/// by `R = (255 − C)·(255 − K)/255` without one. The targets are the classes, INT64 `[n]`. Settings follow the
/// convention of [org.toydiff.data].
///
/// Needs the module java.desktop: on the module path, a program adds `--add-modules java.desktop`.
public final class ImageFolder implements Dataset {
    private final List<String> classes;
    private final List<Path[]> files;

    /// The number of images before each class, and of all images at the end.
    private final int[] before;

    // Volatile, because loaders read on other threads.
    private volatile ImageDecoder decoder;
    private volatile boolean read;

    private ImageFolder(List<String> classes, List<Path[]> files, ImageDecoder decoder) {
        this.classes = classes;
        this.files = files;
        this.decoder = decoder;
        this.before = new int[files.size() + 1];
        for (int i = 0; i < files.size(); i++) {
            before[i + 1] = Math.addExact(before[i], files.get(i).length);
        }
    }

    /// Lists the images below a folder and reads the size of the first. Images are read as RGB, and must all have
    /// that size unless [#resize(int, int)] is called.
    ///
    /// @param root the folder that contains a folder for each class
    /// @return the data set, whose methods named after settings change those
    /// @throws MalformedFileException if there is no class, a class has no image, or the first file is not an image
    /// @throws IOException if a folder cannot be listed or the first image cannot be read
    /// @throws IllegalStateException if the module java.desktop is missing
    public static ImageFolder open(Path root) throws IOException {
        if (ModuleLayer.boot().findModule("java.desktop").isEmpty()) {
            throw new IllegalStateException(
                    "ImageFolder: the module java.desktop, which reads images, is missing; add --add-modules java.desktop");
        }
        List<String> classes = new ArrayList<>();
        List<Path[]> files = new ArrayList<>();
        for (Path folder : sorted(root, Files::isDirectory)) {
            Path[] images = sorted(folder, ImageFolder::isImage);
            if (images.length == 0) {
                throw new MalformedFileException(folder, "class folder", "the folder has no PNG or JPEG file");
            }
            classes.add(folder.getFileName().toString());
            files.add(images);
        }
        if (classes.isEmpty()) {
            throw new MalformedFileException(
                    root, "root folder", "the folder has no folders; it must have one for each class");
        }
        return new ImageFolder(List.copyOf(classes), files, ImageDecoder.like(files.getFirst()[0]));
    }

    private static Path[] sorted(Path folder, Predicate<Path> kept) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(kept).sorted().toArray(Path[]::new);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static boolean isImage(Path file) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        return name.endsWith(".png") || name.endsWith(".jpg") || name.endsWith(".jpeg");
    }

    private void requireUnread(String setting) {
        if (read) {
            throw new IllegalStateException("ImageFolder: " + setting + " cannot change once a batch was read; set it"
                    + " before, or open the folder again");
        }
    }

    /// Reads the images as greyscale: one channel, `0.299·R + 0.587·G + 0.114·B` (ITU-R BT.601), rounded to a byte.
    ///
    /// @return this
    /// @throws IllegalStateException if a batch was read
    public ImageFolder grey() {
        requireUnread("grey");
        decoder = decoder.grey();
        return this;
    }

    /// Resizes every image: bilinear, averaging over the area of a pixel where the image shrinks, as PyTorch's
    /// `interpolate` does with `antialias`.
    ///
    /// @param height the rows, positive
    /// @param width the columns, positive
    /// @return this
    /// @throws IllegalArgumentException if a size is not positive or there are more than 2²⁶ pixels
    /// @throws IllegalStateException if a batch was read
    public ImageFolder resize(int height, int width) {
        if (height <= 0 || width <= 0 || (long) height * width > ImageDecoder.MAX_PIXELS) {
            throw new IllegalArgumentException("ImageFolder: resize " + height + " × " + width
                    + " must be positive and at most " + ImageDecoder.MAX_PIXELS + " pixels");
        }
        requireUnread("resize");
        decoder = decoder.resized(height, width);
        return this;
    }

    /// Returns the names of the classes, which are those of the folders.
    ///
    /// @return the names in the order of the labels, which count from 0
    public List<String> classes() {
        return classes;
    }

    /// Returns the file of an example.
    ///
    /// @param index its position, from 0 on
    /// @return the file
    /// @throws IndexOutOfBoundsException if the position is not in this set
    public Path file(long index) {
        TensorRows.requireInside("file", new long[] {index}, size());
        int label = label(index);
        return files.get(label)[(int) index - before[label]];
    }

    private int label(long index) {
        int found = Arrays.binarySearch(before, (int) index);
        return found >= 0 ? found : -found - 2;
    }

    @Override
    public long size() {
        return before[files.size()];
    }

    /// Reads images.
    ///
    /// @param indices their positions, from 0 on, in any order
    /// @return the images and classes in that order
    /// @throws IndexOutOfBoundsException if a position is not in this set
    /// @throws UncheckedIOException if a file cannot be read; its cause is a [MalformedFileException] if the file is
    ///     not an image or has another size. Both name the file
    @Override
    public Batch batch(long... indices) {
        TensorRows.requireInside("batch", indices, size());
        read = true;
        ImageDecoder decoder = this.decoder;
        TensorArena home = TensorArena.innermost();
        try (var scratch = TensorArena.ofConfined()) {
            Tensor x = Tensor.empty(indices.length, decoder.channels(), decoder.height(), decoder.width());
            for (int i = 0; i < indices.length; i++) {
                decoder.read(file(indices[i]), x.segment(), i);
            }
            Tensor labels = Tensor.of(Arrays.stream(indices).map(this::label).toArray(), indices.length);
            return new Batch(x, labels).copyTo(home);
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }
}
