package org.toydiff.internal.events;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

@Name("toydiff.MemoryLimit")
@Label("Tensor Refused")
@Description("A tensor was not made because a limit would have been passed, or the system had no more memory")
@Category("toydiff")
public final class MemoryLimitEvent extends Event {
    @Label("Op")
    String op;

    @Label("Tensor")
    @Description("Shape and dtype")
    String tensor;

    @Label("Requested")
    @DataAmount
    long requested;

    @Label("Bound")
    @Description("Whose limit it is: arena, process, or system")
    String bound;

    @Label("Live")
    @Description("The bytes that the arena, or else the process, held")
    @DataAmount
    long live;

    @Label("Limit")
    @Description("The most that it can hold; N/A for the system")
    @DataAmount
    long limit;

    MemoryLimitEvent() {}

    /// Commits the event. Sizes are in bytes.
    public void write(String op, String tensor, long requested, String bound, long live, long limit) {
        this.op = op;
        this.tensor = tensor;
        this.requested = requested;
        this.bound = bound;
        this.live = live;
        this.limit = Events.limit(limit);
        commit();
    }
}
