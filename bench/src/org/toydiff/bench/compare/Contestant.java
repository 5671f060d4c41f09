package org.toydiff.bench.compare;

import java.io.IOException;

/// One column of a table: its name, and how it is measured once.
record Contestant(String name, Measure measure) {
    /// Measures once.
    @FunctionalInterface
    interface Measure {
        double once() throws IOException;
    }

    /// Returns a contestant that asks a running peer for a median time.
    static Contestant timed(String name, PeerProcess peer, String request) {
        return new Contestant(name, () -> peer.ask(request).get("median_us").getAsDouble());
    }
}
