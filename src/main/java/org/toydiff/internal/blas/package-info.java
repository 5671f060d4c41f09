/// The BLAS library: found, loaded and called. Knows raw segments only.
///
/// | subject | files |
/// |---|---|
/// | which library is used, and the error if there is none | `BlasLibrary` |
/// | the OpenBLAS artifact: its files, and how to add it | `OpenBlasArtifact` |
/// | unpacking it into the cache | `BundledOpenBlas` |
/// | loading a file in several class loaders | `LibraryFile` |
/// | calls of gemm, gemv and dot | `CBlas` |
///
/// The generated bindings are in `internal.openblas` (`jextract/src`); which product is called for which shapes is
/// decided in `internal.launch`.
package org.toydiff.internal.blas;
