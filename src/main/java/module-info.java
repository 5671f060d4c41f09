/// Tensors and reverse-mode gradients outside the Java heap.
///
/// `org.toydiff` has tensors, arenas and autograd; `org.toydiff.nn` layers and losses; `org.toydiff.optim`
/// optimizers; `org.toydiff.data` data sets and loaders; `org.toydiff.io` safetensors, NumPy's files and
/// checkpoints; `org.toydiff.distributed` processes that train together; `org.toydiff.train` the training loop,
/// with metrics in `org.toydiff.train.metrics`, histories and reports in `org.toydiff.train.report`. Run with
/// `--enable-native-access=org.toydiff`.
module org.toydiff {
    requires jdk.management;

    // The vector kernels, used if the JVM is started with --add-modules jdk.incubator.vector.
    requires static jdk.incubator.vector;

    // Flight Recorder's events of arenas, slabs and backward passes.
    requires static jdk.jfr;

    // CSV in org.toydiff.data and org.toydiff.train.report, images in org.toydiff.data.
    requires static de.siegmar.fastcsv;
    requires static java.desktop;

    // JSON in org.toydiff.io and org.toydiff.train.report, and the progress bar of org.toydiff.train.
    requires static com.google.gson;
    requires static me.tongfei.progressbar;

    exports org.toydiff;
    exports org.toydiff.data;
    exports org.toydiff.distributed;
    exports org.toydiff.io;
    exports org.toydiff.nn;
    exports org.toydiff.optim;
    exports org.toydiff.train;
    exports org.toydiff.train.metrics;
    exports org.toydiff.train.report;
}
