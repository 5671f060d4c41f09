package org.toydiff.internal.files;

import java.net.URL;

/// Libraries that are used where they are present, and the one message that asks for them.
public enum OptionalLibrary {
    /// Reads and writes CSV files.
    FASTCSV("FastCSV", "de.siegmar.fastcsv.writer.CsvWriter", "de.siegmar:fastcsv:4.4.0"),
    /// Reads and writes JSON.
    GSON("Gson", "com.google.gson.Gson", "com.google.code.gson:gson:2.15.0"),
    /// Draws a bar on a terminal.
    PROGRESSBAR("progressbar", "me.tongfei.progressbar.ProgressBar", "me.tongfei:progressbar:0.10.2"),
    /// The script that draws charts in reports.
    ECHARTS("Apache ECharts", null, "org.webjars.npm:echarts:5.3.1") {
        @Override
        public boolean isPresent() {
            return find() != null;
        }
    };

    private final String label;
    private final String type;
    private final String artifact;

    OptionalLibrary(String label, String type, String artifact) {
        this.label = label;
        this.type = type;
        this.artifact = artifact;
    }

    /// @return where it is in Maven's repositories, with the version that is tested with
    public String artifact() {
        return artifact;
    }

    /// @return whether it can be used
    public boolean isPresent() {
        try {
            Class<?> found = Class.forName(type, false, OptionalLibrary.class.getClassLoader());
            // A module sees the class path's classes by name and may not use them.
            return OptionalLibrary.class.getModule().canRead(found.getModule());
        } catch (ClassNotFoundException | NoClassDefFoundError e) {
            return false;
        }
    }

    /// Throws an [IllegalStateException] that says what to add, unless the library is present.
    ///
    /// @param op what needs it
    public void require(String op) {
        if (!isPresent()) {
            throw new IllegalStateException(op + ": needs " + label + "; add the dependency " + artifact
                    + " (where toydiff is on the module path, there too, with --add-modules ALL-MODULE-PATH)");
        }
    }

    /// @return the description that Maven puts into a library's jar, null where there is none
    public URL find() {
        String[] coordinates = artifact.split(":");
        return find("META-INF/maven/" + coordinates[0] + "/" + coordinates[1] + "/pom.properties");
    }

    /// A resource of a library, wherever the application's libraries are.
    ///
    /// @return where it is, null where it is not there
    public static URL find(String path) {
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        URL found = context == null ? null : context.getResource(path);
        return found != null ? found : ClassLoader.getSystemResource(path);
    }
}
