/// Data sets read from files, and batches of them for training: made of the public API of `org.toydiff` and
/// `org.toydiff.io` alone, but for what touches no tensor.
///
/// | file | set |
/// |---|---|
/// | IDX, plain (mapped) or gzip: MNIST and its kin | [org.toydiff.data.IdxDataset] |
/// | CSV, plain or gzip | [org.toydiff.data.CsvFile] |
/// | PNG and JPEG in a folder for each class | [org.toydiff.data.ImageFolder] |
/// | tensors, over mapped files too | [org.toydiff.data.TensorDataset] |
///
/// A [org.toydiff.data.Dataset] can be sliced, split, mapped and joined; a [org.toydiff.data.DataLoader] gives
/// it in shuffled batches, made ahead on another thread if asked. A file that is not what its format says is
/// met with [org.toydiff.io.MalformedFileException], and nothing was allocated then.
package org.toydiff.data;
