package org.toydiff.bench.compare;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// The memory of the temporaries of each program: planned for replays, the least that any plan can take, and the
/// peak of an eager run. It is the same on every machine, so it is asked for once.
final class PlanWorkload implements Workload {
    static final String PLANNED = "planned";
    static final String LOWER_BOUND = "lower bound";
    static final String EAGER_PEAK = "eager peak";

    @Override
    public List<Measurement> run(Peers peers, RunOptions options) throws IOException {
        List<TimedProgram> programs = new ArrayList<>(TimedProgram.trainingSteps());
        programs.addAll(TimedProgram.blocks());
        programs.addAll(TimedProgram.layers());
        programs.add(TimedProgram.materialisedAttention());
        List<Measurement> rows = new ArrayList<>();
        for (TimedProgram program : options.quick() ? TimedProgram.quick(programs) : programs) {
            JsonObject bytes = peers.toydiff().ask("temporaries " + program.request());
            Measurement row = Measurement.of(program.name(), "B");
            row.add(PLANNED, bytes.get("planned_bytes").getAsDouble());
            row.add(LOWER_BOUND, bytes.get("lower_bound_bytes").getAsDouble());
            row.add(EAGER_PEAK, bytes.get("eager_peak_bytes").getAsDouble());
            rows.add(row);
        }
        return rows;
    }
}
