package org.toydiff.bench.scaleout;

import java.util.SortedMap;
import java.util.TreeMap;

/// The table that `native/allreduce.c` and [CollectivesRank] print: lines of a size in bytes, and for each collective
/// its median in microseconds and its bus bandwidth in GB/s.
final class CollectiveTable {
    /// The column of the all-reduce.
    static final int ALL_REDUCE = 1;

    /// The column of an `MPI_Alltoall` and an `MPI_Allgather`, in C's table only.
    static final int EXCHANGE = 3;

    /// The column of the least time of those, in C's table only.
    static final int LEAST_EXCHANGE = 5;

    private CollectiveTable() {}

    /// Returns the times of a column by size. Other lines than those of numbers, such as warnings, are skipped.
    static SortedMap<Long, Double> micros(String table, int column) {
        SortedMap<Long, Double> micros = new TreeMap<>();
        table.lines()
                .map(String::strip)
                .filter(line -> line.matches("[\\d.\\s]+"))
                .forEach(line -> {
                    String[] cells = line.split("\\s+");
                    micros.put(Long.parseLong(cells[0]), Double.parseDouble(cells[column]));
                });
        return micros;
    }

    /// Returns the bus bandwidth in GB/s: the traffic of each rank's link in a ring, 2(p − 1)/p of the bytes, over the
    /// time ([NCCL Tests](https://github.com/NVIDIA/nccl-tests/blob/master/doc/PERFORMANCE.md)).
    static double busBandwidth(int ranks, long bytes, double micros) {
        return 2.0 * (ranks - 1) / ranks * bytes / micros / 1e3;
    }
}
