/// Kernels: loops over raw memory on one thread, which check nothing and allocate nothing.
///
/// `Kernels` chooses at the start between the scalar kernels and those on the Vector API, `Kernel` has the
/// signatures that both share, and `UnaryKernel` and `BinaryKernel` name the elementwise ones. How an op is cut into
/// calls of a kernel is decided in `internal.launch`.
package org.toydiff.internal.kernels;
