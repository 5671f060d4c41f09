package org.toydiff.train;

/// Libraries that this package uses where they are present.
enum OptionalLibrary {
    FASTCSV("FastCSV", "de.siegmar.fastcsv.writer.CsvWriter", "de.siegmar:fastcsv:4.4.0"),
    GSON("Gson", "com.google.gson.Gson", "com.google.code.gson:gson:2.15.0"),
    PROGRESSBAR("progressbar", "me.tongfei.progressbar.ProgressBar", "me.tongfei:progressbar:0.10.2");

    private final String label;
    private final String type;
    private final String artifact;

    OptionalLibrary(String label, String type, String artifact) {
        this.label = label;
        this.type = type;
        this.artifact = artifact;
    }

    boolean isPresent() {
        try {
            Class.forName(type, false, OptionalLibrary.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException | NoClassDefFoundError e) {
            return false;
        }
    }

    void require(String what) {
        if (!isPresent()) {
            throw new IllegalStateException(what + ": needs " + label + "; add the dependency " + artifact
                    + " (and --add-modules ALL-MODULE-PATH where it is on the module path)");
        }
    }
}
