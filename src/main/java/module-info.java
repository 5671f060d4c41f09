/// Tensors and reverse-mode gradients whose numbers never touch the Java heap.
///
/// `org.toydiff` holds tensors, arenas and autograd; `org.toydiff.nn` layers and losses; `org.toydiff.optim`
/// optimizers; `org.toydiff.data` data sets and loaders; `org.toydiff.train` the training loop, with metrics in
/// `org.toydiff.train.metrics`, histories and reports in `org.toydiff.train.report`. Run with
/// `--enable-native-access=org.toydiff`.
module org.toydiff {
    requires jdk.management;

    // Chosen at the start when the JVM has it (--add-modules jdk.incubator.vector); scalar kernels run otherwise.
    requires static jdk.incubator.vector;

    // Flight recordings are told of arenas, slabs and walks backward where the JVM has it.
    requires static jdk.jfr;

    // Readers of CSV files and of images in org.toydiff.data.
    requires static de.siegmar.fastcsv;
    requires static java.desktop;

    // What org.toydiff.io and org.toydiff.train.report read and write JSON with, and what progress is drawn by.
    requires static com.google.gson;
    requires static me.tongfei.progressbar;

    exports org.toydiff;
    exports org.toydiff.data;
    exports org.toydiff.io;
    exports org.toydiff.nn;
    exports org.toydiff.optim;
    exports org.toydiff.train;
    exports org.toydiff.train.metrics;
    exports org.toydiff.train.report;
}
