/// Data sets read from files, and batches of them for training. Built on the public API of `org.toydiff` and
/// `org.toydiff.io` alone, except for code that touches no tensor.
///
/// | file | data set |
/// |---|---|
/// | IDX, plain (mapped) or gzip: MNIST and its kin | [org.toydiff.data.IdxDataset] |
/// | CSV, plain or gzip | [org.toydiff.data.CsvFile] |
/// | PNG and JPEG, one folder for each class | [org.toydiff.data.ImageFolder] |
/// | tensors, including those over mapped files | [org.toydiff.data.TensorDataset] |
///
/// | part | files |
/// |---|---|
/// | batches, in order or shuffled, prefetched | [org.toydiff.data.DataLoader], `Epoch`, `Prefetcher`, `BatchBuffer` |
/// | transforms of batches | [org.toydiff.data.Transform], `Normalize`, `RandomCrop`, `RandomHorizontalFlip` |
/// | image files decoded | `ImageDecoder`, `CmykJpeg`, `Resampling` |
///
/// A [org.toydiff.data.Dataset] can be sliced, split, mapped and concatenated; a [org.toydiff.data.DataLoader] reads
/// it in shuffled batches, ahead of time on another thread if asked to. A file that violates its format causes a
/// [org.toydiff.io.MalformedFileException], and leaves no memory allocated.
///
/// ## Settings
///
/// Settings are named everywhere in the library, by one convention:
/// ```java
/// DataLoader.of(digits, 128).shuffle(1).prefetch(2)
/// new SGD(net.parameters(), 0.1).momentum(0.9).nesterov()
/// ```
/// - `of` (`open` where files are read) or a constructor takes the required arguments. A method named after each
///   other setting changes the object and returns it. A switch takes no argument; its method turns it on, or off
///   where the name begins with `without`.
/// - A second call replaces the setting. Only transforms, metrics, callbacks, schedules, facts and parts to save add
///   up.
/// - A setting holds from the next use on: the next epoch, read, step, fit or write. A change
///   throws IllegalStateException during an epoch or a fit; on a data set, after its first batch; on an optimizer,
///   after its first step, if the setting decides its state.
/// - A value that is out of range is refused at once, by an IllegalArgumentException that names class and setting,
///   and null by a NullPointerException. Settings that are missing or contradict each other are refused by the
///   method that needs them, with an IllegalStateException; those that do not fit its arguments or the file, with an
///   IllegalArgumentException.
package org.toydiff.data;
