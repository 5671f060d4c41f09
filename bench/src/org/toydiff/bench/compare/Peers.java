package org.toydiff.bench.compare;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.toydiff.bench.peer.DjlPeer;
import org.toydiff.bench.peer.ToydiffPeer;

/// The peers available on this machine. Only toydiff is required; others that do not start are reported and
/// skipped.
final class Peers implements AutoCloseable {
    static final String TOYDIFF = "toydiff";
    static final String PYTORCH = "PyTorch";
    static final String JAX = "JAX";
    static final String DJL = "DJL";
    static final String C = "C";

    /// The heap of the processes whose resident memory is measured: a heap with room to grow does grow, whatever
    /// the tensors take. (DJL needs more: its inputs pass through the heap.)
    private static final String SMALL_HEAP = "-Xmx64m";

    private static final Path LOGS = Path.of("target", "bench-logs");

    private final Map<String, PeerCommand> commands = new LinkedHashMap<>();
    private final Map<String, PeerProcess> running = new LinkedHashMap<>();
    private final Map<String, String> skipped = new TreeMap<>();

    /// Starts the peers.
    ///
    /// @param python the Python interpreter
    /// @throws IOException if toydiff itself does not start
    Peers(String python) throws IOException {
        add(TOYDIFF, CommandLines.java(ToydiffPeer.class), CommandLines.java(ToydiffPeer.class, SMALL_HEAP));
        if (!running.containsKey(TOYDIFF)) {
            throw new IOException("toydiff does not start: " + skipped.get(TOYDIFF));
        }
        add(PYTORCH, python, "bench/peers/torch_peer.py");
        add(JAX, python, "bench/peers/jax_peer.py");
        add(DJL, CommandLines.java(DjlPeer.class).toArray(String[]::new));
        addC();
    }

    private void addC() {
        try {
            String library = toydiff().ask("blas").get("library").getAsString();
            add(C, NativePrograms.build("gemm").toString(), library);
        } catch (IOException e) {
            skip(C, e);
        }
    }

    private void add(String name, String... command) {
        add(name, List.of(command), List.of(command));
    }

    private void add(String name, List<String> command, List<String> fresh) {
        try {
            running.put(name, new PeerCommand(name, command, LOGS.resolve(name + ".log")).start());
            commands.put(name, new PeerCommand(name, fresh, LOGS.resolve(name + "-fresh.log")));
            Progress.say(name + " " + running.get(name).version());
        } catch (IOException e) {
            skip(name, e);
        }
    }

    private void skip(String name, IOException e) {
        skipped.put(name, e.getMessage());
        Progress.say(name + " is skipped: " + e.getMessage());
    }

    PeerProcess toydiff() {
        return running.get(TOYDIFF);
    }

    /// Returns the peer of a name, if it runs.
    Optional<PeerProcess> find(String name) {
        return Optional.ofNullable(running.get(name));
    }

    /// Returns the running peers that offer a workload, toydiff first.
    List<PeerProcess> offering(String workload) {
        return running.values().stream().filter(peer -> peer.offers(workload)).toList();
    }

    /// Returns the commands that start further processes of the peers that offer a workload, with a small heap
    /// where that is enough.
    List<PeerCommand> commandsOffering(String workload) {
        return commands.values().stream()
                .filter(command -> running.get(command.name()).offers(workload))
                .toList();
    }

    /// Returns the version of each running peer.
    Map<String, String> versions() {
        Map<String, String> versions = new LinkedHashMap<>();
        running.forEach((name, peer) -> versions.put(name, peer.version()));
        return versions;
    }

    /// Returns the skipped peers, each with the reason.
    Map<String, String> skipped() {
        return skipped;
    }

    @Override
    public void close() {
        running.values().forEach(PeerProcess::close);
    }
}
