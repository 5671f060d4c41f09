package org.toydiff.bench.compare;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The measurements of one workload, stored as a JSON file.
record WorkloadResults(String workload, boolean quick, Map<String, String> machine, List<Measurement> measurements) {
    private static final Gson JSON =
            new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create();

    void write(Path folder) throws IOException {
        Files.writeString(file(folder, workload), JSON.toJson(this) + "\n");
    }

    static Optional<WorkloadResults> read(Path folder, String workload) throws IOException {
        Path file = file(folder, workload);
        return Files.exists(file)
                ? Optional.of(JSON.fromJson(Files.readString(file), WorkloadResults.class))
                : Optional.empty();
    }

    private static Path file(Path folder, String workload) {
        return folder.resolve(workload + ".json");
    }
}
