package org.toydiff.bench.compare;

import java.io.IOException;
import java.util.List;

/// A question that is put to all peers: one table.
interface Workload {
    /// Asks.
    ///
    /// @return one measurement for each row
    /// @throws IOException if a peer fails
    List<Measurement> run(Peers peers, RunOptions options) throws IOException;
}
