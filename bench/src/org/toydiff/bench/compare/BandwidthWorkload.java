package org.toydiff.bench.compare;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// The bandwidth of memory, measured from C: the limit of every large elementwise op.
final class BandwidthWorkload implements Workload {
    @Override
    public List<Measurement> run(Peers peers, RunOptions options) throws IOException {
        List<Measurement> measurements = new ArrayList<>();
        if (peers.find(Peers.C).isEmpty()) {
            return measurements;
        }
        Path program = NativePrograms.build("bandwidth");
        String output = CommandLines.output(List.of(program.toAbsolutePath().toString()));
        for (Map.Entry<String, JsonElement> entry :
                JsonParser.parseString(output).getAsJsonObject().entrySet()) {
            var measurement =
                    Measurement.of(entry.getKey() + (entry.getKey().endsWith("1") ? " thread" : " threads"), "GB/s");
            measurement.add(Peers.C, entry.getValue().getAsDouble());
            measurements.add(measurement);
        }
        return measurements;
    }
}
