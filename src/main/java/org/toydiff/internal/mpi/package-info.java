/// Open MPI, through the bindings that jextract generated: the library is found and loaded, one thread makes all calls,
/// and errors become exceptions with MPI's own text. Knows no tensor.
///
/// | class | subject |
/// |---|---|
/// | [MpiLibrary] | the file |
/// | [Call] | what all processes must call alike |
/// | [Mpi] | the functions, each with its checks |
/// | [Communicator] | the thread that makes the calls, which are [Transfer]s |
package org.toydiff.internal.mpi;
