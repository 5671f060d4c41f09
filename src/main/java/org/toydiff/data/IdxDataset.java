package org.toydiff.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.toydiff.TensorArena;
import org.toydiff.io.MalformedFileException;

/// Images and labels in a pair of IDX files, as MNIST and Fashion-MNIST come.
///
/// ```java
/// Dataset train = IdxDataset.open(Path.of("train-images-idx3-ubyte.gz"), Path.of("train-labels-idx1-ubyte.gz"));
/// ```
///
/// The inputs of a batch are FLOAT32 `[n, rows, columns]`; bytes, which are pixels, are scaled to 0..1
/// (`value/255`) when the batch is made, numbers of the format's other types are taken as they are. The targets
/// are INT64 `[n]`.
public final class IdxDataset implements Dataset {
    private final IdxArray inputs;
    private final IdxArray labels;

    private IdxDataset(IdxArray inputs, IdxArray labels) {
        this.inputs = inputs;
        this.labels = labels;
    }

    /// Opens a pair of files.
    ///
    /// **Memory** A plain file is mapped, so it may be larger than memory; it must not be shortened while it
    /// is, [org.toydiff.MappedFile] says what happens then. One packed by gzip is unpacked, byte for byte.
    /// Either lives in the innermost arena until that is closed: open the set in a shared one for use on
    /// several threads, by a prefetching [DataLoader] too.
    ///
    /// @param images the file of the inputs, of any number of axes, the first being the examples; plain or gzip
    /// @param labels the file of the targets, whole numbers along one axis; plain or gzip
    /// @return the set
    /// @throws MalformedFileException if a file is no IDX file, is too short or too long for what its header
    ///     says, or the two do not have as many examples; nothing was allocated or mapped then
    /// @throws IOException if a file cannot be read
    public static IdxDataset open(Path images, Path labels) throws IOException {
        TensorArena home = TensorArena.innermost();
        try (var x = IdxFile.open(images);
                var y = IdxFile.open(labels);
                var scratch = TensorArena.ofConfined()) {
            requireLabels(y);
            if (x.shape()[0] != y.shape()[0]) {
                throw y.malformed(
                        4, y.shape()[0] + " labels are not for the " + x.shape()[0] + " examples of " + images);
            }
            x.unpack();
            y.unpack();
            return new IdxDataset(x.place(home), y.place(home));
        }
    }

    private static void requireLabels(IdxFile file) throws MalformedFileException {
        if (file.shape().length != 1) {
            throw file.malformed(3, "labels have one axis, and the array is " + Arrays.toString(file.shape()));
        }
        if (!file.element().isWhole()) {
            throw file.malformed(2, "labels are whole numbers, and the elements are " + file.element());
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
        return new Batch(inputs.floats(indices), labels.wholes(indices));
    }
}
