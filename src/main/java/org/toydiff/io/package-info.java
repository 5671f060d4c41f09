/// Files of tensors and checkpoints, built on the public API of `org.toydiff` and on internal packages that touch no
/// tensor.
///
/// | format | class | read | written |
/// |---|---|---|---|
/// | safetensors | [SafeTensors] | mapped, or converted | as Python's `safetensors` writes it |
/// | `.npy` | [Npy] | mapped, or converted | as `numpy.save` writes it |
/// | `.npz` | [Npz] | copied | as `numpy.savez` writes it |
/// | checkpoint of a training | [CheckpointFile] | copied | a safetensors file |
///
/// | subject | files |
/// |---|---|
/// | safetensors: header, its entries and dtypes | `SafeTensorsHeader`, `SafeTensorsEntry`, `SafeTensorsType` |
/// | safetensors: layout of a new file | `SafeTensorsWriter` |
/// | `.npy`: header, and the Python dict in it | `NpyHeader`, `NpyDict` |
/// | `.npz`: an entry read, an archive written | `NpzEntry`, `NpzWriter` |
/// | checkpoints: parts restored together, checksum | `CheckpointParts`, `Checksum` |
/// | element types of files and their conversion | `StoredType` |
/// | the bytes of a tensor's elements | `Elements`, `ByteBufferInputStream` |
/// | the exception for every malformed file | [MalformedFileException] |
///
/// Another format is a class as [Npy], with `Elements` and `AtomicFile`; nothing is registered. A data set
/// implements [org.toydiff.data.Dataset] instead.
///
/// **Reading** A file that violates its format throws [MalformedFileException] with the message `file: offset N:
/// problem`, and nothing has been allocated or stays mapped then. Other processes must not shorten a mapped file;
/// [org.toydiff.MappedFile] says how far that is detected.
///
/// **Writing** is atomic: the file is written under a temporary name in the same folder, forced to disk, and
/// renamed (`internal.files.AtomicFile`). Whatever happens, and whoever has the old file mapped, there is either
/// the old file or the new one; a failed or interrupted save leaves the old one. Links are followed, permissions
/// are kept, a file marked read-only is refused, and the next save deletes the temporary files (`.toydiff-….tmp`)
/// of killed processes.
///
/// Tensors are written from native memory, without passing through the Java heap; a tensor that is not contiguous is
/// copied first, for the duration of the write.
package org.toydiff.io;
