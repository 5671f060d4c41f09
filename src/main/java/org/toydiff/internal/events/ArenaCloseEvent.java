package org.toydiff.internal.events;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/// Begun when an arena is opened and written when it is closed.
@Name("toydiff.ArenaClose")
@Label("Tensor Arena Closed")
@Description("A tensor arena was closed; the duration is how long it was open, 0 when nothing listened at its opening")
@Category("toydiff")
@Enabled(false)
@StackTrace(false)
public final class ArenaCloseEvent extends Event {
    static final String NUMBER = "The same number in both events of an arena; 0 when nothing listened at its opening";

    @Label("Arena")
    @Description(NUMBER)
    long arena;

    @Label("Kind")
    @Description("confined or shared")
    String kind;

    @Label("Owner")
    @Description("The thread that opened it")
    Thread owner;

    @Label("Limit")
    @Description("What it might hold at a time; N/A for one without a limit of its own")
    @DataAmount
    long limit;

    @Label("Peak")
    @Description("The most that it held at a time")
    @DataAmount
    long peak;

    @Label("Blocks")
    @Description("How many blocks were made in it")
    long blocks;

    ArenaCloseEvent() {}

    /// Writes it, when it is enabled and took as long as its threshold.
    public void write(boolean shared, Thread owner, long limit, long peak, long blocks) {
        if (shouldCommit()) {
            this.kind = Events.kind(shared);
            this.owner = owner;
            this.limit = Events.limit(limit);
            this.peak = peak;
            this.blocks = blocks;
            commit();
        }
    }
}
