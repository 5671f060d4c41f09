package org.toydiff.internal.files;

import java.net.URL;

/// The libraries that a program may leave out, and the one message that asks for them.
public enum OptionalLibrary {
    /// Reads and writes CSV files.
    FASTCSV("FastCSV", "de.siegmar.fastcsv.writer.CsvWriter", "de.siegmar:fastcsv:4.4.0"),
    /// Reads and writes JSON.
    GSON("Gson", "com.google.gson.Gson", "com.google.code.gson:gson:2.15.0"),
    /// Draws a bar on a terminal.
    PROGRESSBAR("progressbar", "me.tongfei.progressbar.ProgressBar", "me.tongfei:progressbar:0.10.2"),
    /// Draws the charts of reports; a script.
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

    /// @return the Maven coordinates, with the tested version
    public String artifact() {
        return artifact;
    }

    /// @return whether the library can be used
    public boolean isPresent() {
        try {
            Class<?> found = Class.forName(type, false, OptionalLibrary.class.getClassLoader());
            // A module finds classes of the class path by name but may not use them.
            return OptionalLibrary.class.getModule().canRead(found.getModule());
        } catch (ClassNotFoundException | NoClassDefFoundError e) {
            return false;
        }
    }

    /// Throws an [IllegalStateException] that names the dependency to add, unless the library is present.
    ///
    /// @param op the operation that needs it
    public void require(String op) {
        if (!isPresent()) {
            throw new IllegalStateException(op + ": needs " + label + "; add the dependency " + artifact
                    + " (where toydiff is on the module path, there too, with --add-modules ALL-MODULE-PATH)");
        }
    }

    /// @return the URL of the properties that Maven puts into a library's jar, or null if it is absent
    public URL find() {
        String[] coordinates = artifact.split(":");
        return find("META-INF/maven/" + coordinates[0] + "/" + coordinates[1] + "/pom.properties");
    }

    /// Finds a resource by the context class loader, or else by the system class loader.
    ///
    /// @return its URL, or null if it is absent
    public static URL find(String path) {
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        URL found = context == null ? null : context.getResource(path);
        return found != null ? found : ClassLoader.getSystemResource(path);
    }
}
