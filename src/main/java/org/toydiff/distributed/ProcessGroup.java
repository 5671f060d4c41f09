package org.toydiff.distributed;

import java.time.Duration;
import org.toydiff.Tensor;

/// The processes that compute together: those that `mpirun` or Slurm's `srun` started, or this one alone.
///
/// ```java
/// try (var group = ProcessGroup.mpi(); var arena = TensorArena.ofShared()) {
///     Tensor x = Tensor.full(group.rank() + 1, 3);
///     group.allReduce(x);                          // with 2 processes: 3, 3, 3 in both
/// }
/// ```
/// ```
/// mpirun -n 2 --bind-to none java --enable-native-access=ALL-UNNAMED -cp … Main
/// ```
///
/// **Collectives** Every process calls the same methods in the same order, with tensors of one shape and dtype.
/// Each call first compares the calls of all processes, and throws IllegalStateException in every one if they
/// differ, naming the call of each; the group cannot be used afterwards. The same happens when a process closes its
/// group while others make a call. Tensors are contiguous: views with gaps are refused, and `copyTo(arena)` makes a
/// tensor without gaps. Nothing is recorded for gradients.
///
/// **Memory** The library reads and writes the tensors of shared and detached arenas where they lie. Those of confined
/// arenas go through a copy, and so do BFLOAT16 ones of [#allReduce], which adds them up as FLOAT32.
/// The copy is freed at the end of the call, unless that throws: the library may go on with a call that has run out of
/// patience, and a confined arena could be closed then; a shared one refuses to be.
///
/// **Failures** An exception that ends a thread of this process is printed, and half a second later all processes
/// of the job are ended, so that none waits for ever. A process that is killed, or exits before it has closed its
/// group, ends the job through the launcher (`srun` needs `--kill-on-bad-exit=1`); the others say so on the
/// standard error.
///
/// For one thread at a time.
public sealed interface ProcessGroup extends AutoCloseable permits CheckedGroup {
    /// Joins the processes of the MPI job, waiting at most 10 minutes in each call for the others.
    ///
    /// @return the group; of one process if the program was started without a launcher
    /// @throws UnsatisfiedLinkError if no Open MPI is found, listing every place tried and the remedy
    /// @throws IllegalStateException if this process has joined before: MPI begins once in a process
    static ProcessGroup mpi() {
        return mpi(Duration.ofMinutes(10));
    }

    /// Joins the processes of the MPI job. The library is that of `-Dtoydiff.mpi=/path/to/libmpi.so.40`, of the
    /// environment (`OPAL_PREFIX`, `MPI_HOME`, `LD_LIBRARY_PATH`), or in the usual places of Linux and macOS.
    ///
    /// If several processes share this machine and neither `-Dtoydiff.threads` nor a binding to cores says how many
    /// threads each has, they divide the processors: see [org.toydiff.Threads].
    ///
    /// @param patience the longest time to wait for the others in one call, positive
    /// @return the group; of one process if the program was started without a launcher
    /// @throws IllegalArgumentException if the time is not positive
    /// @throws UnsatisfiedLinkError if no Open MPI is found, listing every place tried and the remedy
    /// @throws IllegalStateException if this process has joined before: MPI begins once in a process
    static ProcessGroup mpi(Duration patience) {
        return MpiProcesses.join(patience);
    }

    /// {@return a group of this process alone, which needs no library}
    static ProcessGroup single() {
        return new SingleProcess();
    }

    /// {@return the number of this process, from 0 on}
    int rank();

    /// {@return the number of processes, 1 or more}
    int size();

    /// {@return the library that connects the processes, with version and path}
    String library();

    /// Adds up the elements of all processes, in place. The order of additions is the library's, and may depend on the
    /// number of processes: [DataParallel] has an order that does not.
    ///
    /// @param tensor the elements, FLOAT32, FLOAT64, BFLOAT16, INT32 or INT64; those of all processes get the sums
    /// @throws IllegalArgumentException if it is not contiguous, read-only or of another dtype
    /// @throws IllegalStateException if it is freed, the group is closed, the calls of the processes differ, or MPI
    ///     fails
    void allReduce(Tensor tensor);

    /// Copies the elements of one process to all.
    ///
    /// @param tensor the elements, of any dtype
    /// @param root the process whose elements all get
    /// @throws IllegalArgumentException if the tensor is not contiguous or read-only, or there is no such process
    /// @throws IllegalStateException if it is freed, the group is closed, the calls of the processes differ, or MPI
    ///     fails
    void broadcast(Tensor tensor, int root);

    /// Collects the elements of all processes.
    ///
    /// @param part the elements of this process, of any shape and dtype
    /// @param whole of that dtype and `[size, …]`, where `…` is the shape of the part; gets those of rank i at index i
    /// @throws IllegalArgumentException if shapes or dtypes do not fit, one is not contiguous or overlaps the other, or
    ///     the whole is read-only
    /// @throws IllegalStateException if one is freed, the group is closed, the calls of the processes differ, or MPI
    ///     fails
    void allGather(Tensor part, Tensor whole);

    /// Waits until all processes call this.
    ///
    /// @throws IllegalStateException if the group is closed, the calls of the processes differ, or MPI fails
    void barrier();

    /// Leaves the group, once all processes do. After a failure it does not wait: the end of the process ends the job.
    ///
    /// @throws IllegalStateException if another process makes another call, or none in time
    @Override
    void close();
}
