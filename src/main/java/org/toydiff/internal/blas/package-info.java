/// The BLAS library: found, loaded and called. Knows raw segments only.
///
/// | subject | files |
/// |---|---|
/// | which library is used, and the error if there is none | `BlasLibrary` |
/// | which processor it is, on which the choice depends | `Processor` |
/// | the artifacts of OpenBLAS and oneMKL: their files, and how to add them | `Artifact` |
/// | unpacking one into the cache | `UnpackedArtifact` |
/// | why a library of the system or at a path is refused | `Candidate`, `DynamicLinker`, `LibraryFormat` |
/// | the libraries that oneMKL's `libmkl_rt` opens | `MklRuntime` |
/// | loading a file in several class loaders | `LibraryFile` |
/// | calls of gemm, gemv and dot | `CBlas` |
/// | settings of oneMKL, and its products of bfloat16 | `MklBlas` |
///
/// The generated bindings are in `internal.openblas` and `internal.mkl` (`jextract/src`); which product is called for
/// which shapes is decided in `internal.launch`.
package org.toydiff.internal.blas;
