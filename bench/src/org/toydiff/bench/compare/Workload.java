package org.toydiff.bench.compare;

import java.io.IOException;
import java.util.List;

/// A workload that the peers run: one table.
interface Workload {
    /// Runs the workload.
    ///
    /// @return one measurement for each row
    /// @throws IOException if a peer fails
    List<Measurement> run(Peers peers, RunOptions options) throws IOException;

    /// Returns whether PyTorch's compiler takes part, which takes long to start.
    default boolean comparesCompilers() {
        return false;
    }
}
