package org.toydiff.internal.events;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Threshold;

/// Begun and written around a walk backward. The threshold is that of the JDK's own events for files and sockets.
@Name("toydiff.Backward")
@Label("Backward")
@Description("A graph's gradients were computed")
@Category("toydiff")
@Threshold("20 ms")
@StackTrace(false)
public final class BackwardEvent extends Event {
    @Label("Call")
    @Description("backward or gradients")
    String call;

    @Label("Root")
    @Description("The op that made the tensor it began at")
    String root;

    @Label("Release")
    @Description("When it freed intermediates: EAGER or AT_CLOSE")
    String release;

    @Label("Nodes")
    @Description("How many recorded ops it began at and reached")
    int nodes;

    @Label("Arena Peak")
    @Description("The most that the innermost arena held since its opening; N/A when none was open")
    @DataAmount
    long peak;

    BackwardEvent() {}

    /// Writes it, when it took as long as its threshold. `peak` is in bytes.
    public void write(String call, String root, String release, int nodes, long peak) {
        if (shouldCommit()) {
            this.call = call;
            this.root = root;
            this.release = release;
            this.nodes = nodes;
            this.peak = Events.limit(peak);
            commit();
        }
    }
}
