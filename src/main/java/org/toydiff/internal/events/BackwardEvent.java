package org.toydiff.internal.events;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Threshold;

/// A backward pass. The threshold is that of the JDK's events for files and sockets.
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
    @Description("The op that made the tensor where it began")
    String root;

    @Label("Release")
    @Description("When intermediates are freed: EAGER or AT_CLOSE")
    String release;

    @Label("Nodes")
    @Description("The number of recorded ops that it reached, including where it began")
    int nodes;

    @Label("Arena Peak")
    @Description("The most that the innermost arena held since its opening; N/A if none was open")
    @DataAmount
    long peak;

    BackwardEvent() {}

    /// Commits the event if it took as long as its threshold. `peak` is in bytes.
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
