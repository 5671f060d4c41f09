/// Files of tensors, made of the public API of `org.toydiff` alone, but for what touches no tensor.
///
/// | file | class | read | written |
/// |---|---|---|---|
/// | safetensors | [org.toydiff.io.SafeTensors] | mapped | as Python's `safetensors` writes it |
/// | `.npy` | [org.toydiff.io.Npy] | mapped | as `numpy.save` writes it |
/// | `.npz` | [org.toydiff.io.Npz] | copied | as `numpy.savez` writes it |
/// | training, to be resumed | [org.toydiff.io.CheckpointFile] | copied | a safetensors file |
///
/// **Reading** A file that is not what its format says throws [org.toydiff.io.MalformedFileException] with a message
/// `file: offset N: problem`, and nothing was allocated or stays mapped then. A mapped file must not be shortened by
/// others while it is; [org.toydiff.MappedFile] says what is guarded and what is not.
///
/// **Writing** is atomic: the file is written under a temporary name in the same folder, forced to the disk, and
/// renamed. Whatever happens, and whoever has the old file mapped, there is the old file or the new one; a
/// failed or interrupted save leaves the old one. A link is followed, permissions are kept, a file marked
/// read-only is refused, and what a killed process left (`.toydiff-….tmp`) is deleted by the next save there.
///
/// Tensors are written from where they are, without passing through the Java heap; one that is not contiguous is
/// copied first, for as long as it is written.
package org.toydiff.io;
