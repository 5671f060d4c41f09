/// The options of the JVM, `JvmOptions`, and how generated methods stay out of line, `Inlining`; everything else below
/// `org.toydiff` that is not exported is in packages of this one.
///
/// | subject | package |
/// |---|---|
/// | how an op is split into parts: segments, offsets, shapes, strides | `internal.launch` |
/// | convolutions and patches | `internal.convolution` |
/// | windows of pooling and interpolation | `internal.pooling` |
/// | normalisation by rows, groups and channels | `internal.normalization` |
/// | attention in blocks of scores | `internal.attention` |
/// | LAPACK over batches, the order of contractions | `internal.linalg` |
/// | launches in one generated loop | `internal.fusion` |
/// | the arithmetic of kernels, as expressions | `internal.arithmetic` |
/// | loops over elements, scalar and vector | `internal.kernels` |
/// | recurrent layers | `internal.recurrence` |
/// | matrix products | `internal.blas` |
/// | processes of an MPI job | `internal.mpi` |
/// | threads | `internal.workers` |
/// | pool of native memory | `internal.memory` |
/// | where the temporaries of a recording lie | `internal.plan` |
/// | random numbers | `internal.random` |
/// | flight recordings | `internal.events` |
/// | files and optional libraries | `internal.files` |
/// | arrays as text | `internal.text` |
package org.toydiff.internal;
