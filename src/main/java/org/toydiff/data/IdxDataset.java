package org.toydiff.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.toydiff.TensorArena;
import org.toydiff.io.MalformedFileException;

/// Images and labels in a pair of IDX files, the format of MNIST and Fashion-MNIST.
///
/// ```java
/// Dataset train = IdxDataset.open(Path.of("train-images-idx3-ubyte.gz"), Path.of("train-labels-idx1-ubyte.gz"));
/// ```
///
/// The inputs of a batch are FLOAT32 `[n, rows, columns]`. Unsigned bytes, which are pixels, are scaled to 0..1
/// (`value/255`) when the batch is made; numbers of the other types are not scaled. The targets are INT64 `[n]`.
public final class IdxDataset implements Dataset {
    private final IdxArray inputs;
    private final IdxArray labels;

    private IdxDataset(IdxArray inputs, IdxArray labels) {
        this.inputs = inputs;
        this.labels = labels;
    }

    /// Opens a pair of files.
    ///
    /// **Memory** A plain file is mapped, so it may be larger than memory; it must not be shortened while it is
    /// mapped, see [org.toydiff.MappedFile]. A gzip file is decompressed, byte for byte. Either lives in the
    /// innermost arena until that is closed: use a shared arena if several threads read the set, one of a
    /// prefetching [DataLoader] included.
    ///
    /// @param images the file of the inputs, of any number of axes, of which the first counts examples; plain or
    ///     gzip
    /// @param labels the file of the targets, integers along one axis; plain or gzip
    /// @return the data set
    /// @throws MalformedFileException if a file is not an IDX file, its length contradicts its header, or the files
    ///     have different numbers of examples; nothing stays allocated or mapped then
    /// @throws IOException if a file cannot be read
    public static IdxDataset open(Path images, Path labels) throws IOException {
        TensorArena home = TensorArena.innermost();
        try (var x = IdxFile.open(images);
                var y = IdxFile.open(labels);
                var scratch = TensorArena.ofConfined()) {
            requireLabels(y);
            if (x.shape()[0] != y.shape()[0]) {
                throw y.malformed(
                        4, y.shape()[0] + " labels do not match the " + x.shape()[0] + " examples of " + images);
            }
            x.decompress();
            y.decompress();
            return new IdxDataset(x.place(home), y.place(home));
        }
    }

    private static void requireLabels(IdxFile file) throws MalformedFileException {
        if (file.shape().length != 1) {
            throw file.malformed(
                    3, "labels have one axis, but the shape of the array is " + Arrays.toString(file.shape()));
        }
        if (!file.element().isInteger()) {
            throw file.malformed(2, "labels are integers, but the elements are " + file.element());
        }
    }

    @Override
    public long size() {
        return inputs.shape()[0];
    }

    @Override
    public Batch batch(long... indices) {
        TensorRows.requireInside("batch", indices, size());
        inputs.requireReadable();
        labels.requireReadable();
        return new Batch(inputs.floats(indices), labels.integers(indices));
    }
}
