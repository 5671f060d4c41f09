package org.toydiff.internal.mpi;

/// The types of elements, with the symbols that Open MPI's header defines as `MPI_FLOAT` and so on.
public enum MpiType {
    /// `MPI_FLOAT`
    FLOAT32("ompi_mpi_float", Float.BYTES),
    /// `MPI_DOUBLE`
    FLOAT64("ompi_mpi_double", Double.BYTES),
    /// `MPI_INT32_T`
    INT32("ompi_mpi_int32_t", Integer.BYTES),
    /// `MPI_INT64_T`
    INT64("ompi_mpi_int64_t", Long.BYTES),
    /// `MPI_BYTE`
    BYTE("ompi_mpi_byte", 1);

    final String symbol;
    final int bytes;

    MpiType(String symbol, int bytes) {
        this.symbol = symbol;
        this.bytes = bytes;
    }
}
