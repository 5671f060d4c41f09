package org.toydiff.internal.events;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/// Begins when an arena is opened; committed when it is closed.
@Name("toydiff.ArenaClose")
@Label("Tensor Arena Closed")
@Description("A tensor arena was closed; the duration is the time it was open, 0 if events were off at its opening")
@Category("toydiff")
@Enabled(false)
@StackTrace(false)
public final class ArenaCloseEvent extends Event {
    static final String NUMBER = "The same number in both events of an arena; 0 if events were off at its opening";

    @Label("Arena")
    @Description(NUMBER)
    long arena;

    @Label("Kind")
    @Description("confined, shared or detached")
    String kind;

    @Label("Owner")
    @Description("The thread that opened it; N/A for a detached arena")
    Thread owner;

    @Label("Limit")
    @Description("The most it could hold at a time; N/A for one without its own limit")
    @DataAmount
    long limit;

    @Label("Peak")
    @Description("The most it held at a time")
    @DataAmount
    long peak;

    @Label("Blocks")
    @Description("The number of blocks allocated in it")
    long blocks;

    ArenaCloseEvent() {}

    /// Commits the event if it is enabled and took as long as its threshold. Sizes are in bytes.
    public void write(String kind, Thread owner, long limit, long peak, long blocks) {
        if (shouldCommit()) {
            this.kind = kind;
            this.owner = owner;
            this.limit = Events.limit(limit);
            this.peak = peak;
            this.blocks = blocks;
            commit();
        }
    }
}
