/// Open MPI, through the bindings that jextract generated: the library is found and loaded, one thread makes all calls,
/// and errors become exceptions with MPI's own text. Knows no tensor.
///
/// | class | subject |
/// |---|---|
/// | [MpiLibrary] | the library's file |
/// | [Call] | the comparison of the calls of all processes |
/// | [Mpi] | the functions, each with its checks |
/// | [Communicator] | the thread that makes the calls, which are [Transfer]s |
package org.toydiff.internal.mpi;
