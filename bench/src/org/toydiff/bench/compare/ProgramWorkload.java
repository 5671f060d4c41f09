package org.toydiff.bench.compare;

import com.google.gson.JsonArray;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/// Functions that toydiff runs compiled and eager, PyTorch eager and compiled, and JAX compiled.
final class ProgramWorkload implements Workload {
    /// The column of toydiff's replay, with which others are compared.
    static final String COMPILED = "compiled";

    /// The column of toydiff without compilation.
    static final String EAGER = "eager";

    private static final double TOLERANCE = 2e-3;

    /// A parameter that moves by less has moved by rounding errors: its gradient is the sum of many that cancel.
    private static final double ROUNDING = 1e-12;

    private final List<TimedProgram> programs;

    /// A process that runs programs, and how it is asked to.
    private record Runner(String name, PeerProcess peer, String form) {
        JsonArray numbers(TimedProgram program) throws IOException {
            return peer.ask("check " + form + " " + program.request()).getAsJsonArray("numbers");
        }

        Contestant contestant(TimedProgram program) {
            return Contestant.timed(
                    name, peer, form + " " + program.request() + " " + program.calls() + " " + program.samples());
        }
    }

    ProgramWorkload(Collection<TimedProgram> programs) {
        this.programs = List.copyOf(programs);
    }

    @Override
    public boolean comparesCompilers() {
        return true;
    }

    @Override
    public List<Measurement> run(Peers peers, RunOptions options) throws IOException {
        List<Measurement> measurements = new ArrayList<>();
        for (TimedProgram program : options.quick() ? TimedProgram.quick(programs) : programs) {
            List<Contestant> contestants = new ArrayList<>();
            for (Runner runner : agreeing(peers, program)) {
                contestants.add(runner.contestant(program));
            }
            if (program.arrays() > 0 && peers.find(Peers.C).isPresent()) {
                contestants.add(MemoryLimit.contestant(program));
            }
            measurements.add(options.roundsOf().warm(program.name(), "µs", contestants));
        }
        return measurements;
    }

    private static List<Runner> runners(Peers peers) {
        List<Runner> runners = new ArrayList<>();
        runners.add(new Runner(COMPILED, peers.toydiff(), "compiled"));
        runners.add(new Runner(EAGER, peers.toydiff(), "eager"));
        peers.onMkl().ifPresent(mkl -> {
            runners.add(new Runner(COMPILED + ", oneMKL", mkl, "compiled"));
            runners.add(new Runner(EAGER + ", oneMKL", mkl, "eager"));
        });
        for (String form : List.of("eager", "compiled")) {
            for (PeerProcess peer : peers.offering(form)) {
                if (peer != peers.toydiff()) {
                    runners.add(new Runner(peer.name(), peer, form));
                }
            }
        }
        return runners;
    }

    /// Returns the runners whose numbers are those of toydiff's eager form, without those that cannot run the program.
    ///
    /// @throws IOException if one computes other numbers
    private static List<Runner> agreeing(Peers peers, TimedProgram program) throws IOException {
        List<Runner> agreeing = new ArrayList<>();
        JsonArray expected = new Runner(EAGER, peers.toydiff(), "eager").numbers(program);
        for (Runner runner : runners(peers)) {
            JsonArray numbers;
            try {
                numbers = runner.numbers(program);
            } catch (IOException e) {
                Progress.say("  " + program.name() + " by " + runner.name + " is skipped: " + e.getMessage());
                continue;
            }
            requireSame(program, runner.name, numbers, expected);
            agreeing.add(runner);
        }
        return agreeing;
    }

    private static void requireSame(TimedProgram program, String name, JsonArray numbers, JsonArray expected)
            throws IOException {
        for (int i = 0; i < expected.size(); i++) {
            double number = numbers.get(i).getAsDouble();
            double wanted = expected.get(i).getAsDouble();
            if (!(Math.abs(number - wanted) <= TOLERANCE * Math.abs(wanted) + ROUNDING)) {
                throw new IOException(program.name() + ": " + name + " computes " + numbers + " and " + EAGER + " "
                        + expected + "; they do not compute the same, so their times cannot be compared");
            }
        }
    }
}
