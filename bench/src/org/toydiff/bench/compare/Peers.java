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
    static final String TORCH_COMPILE = "torch.compile";
    static final String DJL = "DJL";
    static final String C = "C";

    private static final String TORCH_PEER = "bench/peers/torch_peer.py";
    private static final String ONE_MKL = "oneMKL";

    /// The heap of the processes whose resident memory is measured: a heap with room to grow does grow, whatever
    /// the tensors take. (DJL needs more: its inputs pass through the heap.)
    private static final String SMALL_HEAP = "-Xmx64m";

    private static final Path LOGS = Path.of("target", "bench-logs");

    private final Map<String, PeerCommand> commands = new LinkedHashMap<>();
    private final Map<String, PeerProcess> running = new LinkedHashMap<>();
    private final Map<String, String> skipped = new TreeMap<>();

    /// toydiff on oneMKL; null if it was not asked for or does not start.
    private PeerProcess onMkl;

    /// Starts the peers.
    ///
    /// @param options the Python interpreter, and whether oneMKL takes part
    /// @param compilers whether PyTorch's compiler takes part
    /// @throws IOException if toydiff itself does not start
    Peers(RunOptions options, boolean compilers) throws IOException {
        String python = options.python();
        add(TOYDIFF, CommandLines.java(ToydiffPeer.class), CommandLines.java(ToydiffPeer.class, SMALL_HEAP));
        if (!running.containsKey(TOYDIFF)) {
            throw new IOException("toydiff does not start: " + skipped.get(TOYDIFF));
        }
        if (options.mkl()) {
            addMkl();
        }
        add(PYTORCH, python, TORCH_PEER);
        if (compilers) {
            add(TORCH_COMPILE, python, TORCH_PEER, "--compile");
        }
        add(JAX, python, "bench/peers/jax_peer.py");
        add(DJL, CommandLines.java(DjlPeer.class).toArray(String[]::new));
        addC();
    }

    private void addMkl() {
        var command = new PeerCommand(
                ONE_MKL, CommandLines.java(ToydiffPeer.class, "-Dtoydiff.blas=mkl"), LOGS.resolve("toydiff-mkl.log"));
        try {
            onMkl = command.start();
            Progress.say(TOYDIFF + " on " + onMkl.ask("blas").get("version").getAsString());
        } catch (IOException e) {
            skip(ONE_MKL, e);
        }
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

    /// Returns toydiff on oneMKL, if it runs.
    Optional<PeerProcess> onMkl() {
        return Optional.ofNullable(onMkl);
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
        onMkl().ifPresent(PeerProcess::close);
    }
}
