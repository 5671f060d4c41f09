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

/// PNG and JPEG images in folders, one folder for each class, as PyTorch's ImageFolder takes them:
/// `root/cat/1.png`, `root/dog/2.jpg`.
///
/// The classes are numbered in the order of the folders' names, the images of a class in the order of theirs.
/// Files with other endings, and those in folders further down, are left out. An image is read each time that
/// it is in a batch. The inputs of a batch are FLOAT32 `[n, channels, height, width]`, 0 to 1 (`value/255`);
/// transparency is dropped. JPEG files of four inks (CMYK) become RGB by their embedded profile, or by
/// `R = (255 − C)·(255 − K)/255` without one. The targets are the classes, INT64 `[n]`.
///
/// Needs the module java.desktop: on the module path, a program adds `--add-modules java.desktop`.
public final class ImageFolder implements Dataset {
    private final List<String> classes;
    private final List<Path[]> files;

    /// How many images there are before each class, and in all.
    private final int[] before;

    // Settings are made before other threads read.
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

    /// Lists the images below a folder, and reads the size of the first. They are read as RGB; all must have
    /// one size, unless [#resize(int, int)] follows.
    ///
    /// @param root the folder of the classes' folders
    /// @return the set
    /// @throws MalformedFileException if there is no class, one has no image, or the first image is none
    /// @throws IOException if a folder cannot be listed or the first image cannot be read
    /// @throws IllegalStateException if the module java.desktop is not there
    public static ImageFolder open(Path root) throws IOException {
        if (ModuleLayer.boot().findModule("java.desktop").isEmpty()) {
            throw new IllegalStateException(
                    "ImageFolder: images are read by the module java.desktop; add --add-modules java.desktop");
        }
        List<String> classes = new ArrayList<>();
        List<Path[]> files = new ArrayList<>();
        for (Path folder : sorted(root, Files::isDirectory)) {
            Path[] images = sorted(folder, ImageFolder::isImage);
            if (images.length == 0) {
                throw new MalformedFileException(folder, "class folder", "there is no PNG or JPEG file in it");
            }
            classes.add(folder.getFileName().toString());
            files.add(images);
        }
        if (classes.isEmpty()) {
            throw new MalformedFileException(root, "root folder", "there are no folders in it, one for each class");
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
        if (height <= 0 || width <= 0 || (long) height * width > ImageDecoder.MOST_PIXELS) {
            throw new IllegalArgumentException("ImageFolder: resize " + height + " × " + width
                    + " must be positive and at most " + ImageDecoder.MOST_PIXELS + " pixels");
        }
        requireUnread("resize");
        decoder = decoder.resized(height, width);
        return this;
    }

    /// The names of the classes: those of the folders.
    ///
    /// @return the names in the order of the labels, which count from 0
    public List<String> classes() {
        return classes;
    }

    /// Where an example comes from.
    ///
    /// @param index its position, from 0 on
    /// @return the file
    /// @throws IndexOutOfBoundsException if it is not one of this set's
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

    /// Reads some images.
    ///
    /// @param indices their positions, from 0 on, in any order
    /// @return the images and classes in that order
    /// @throws IndexOutOfBoundsException if a position is not one of this set's
    /// @throws UncheckedIOException if a file cannot be read, is no image, or one of another size; its cause is
    ///     a [MalformedFileException] then, and both name the file
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
