package org.toydiff.bench.compare;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/// The command that starts a peer.
record PeerCommand(String name, List<String> command, Path log) {
    PeerProcess start() throws IOException {
        return new PeerProcess(command, log);
    }

    /// Starts a peer for one request.
    JsonObject askOnce(String request) throws IOException {
        try (var peer = start()) {
            return peer.ask(request);
        }
    }
}
