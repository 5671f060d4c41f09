package org.toydiff.internal.events;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

@Name("toydiff.ArenaOpen")
@Label("Tensor Arena Opened")
@Description("A tensor arena was opened by the event's thread; one without a close event is still open")
@Category("toydiff")
@Enabled(false)
@StackTrace(false)
final class ArenaOpenEvent extends Event {
    @Label("Arena")
    @Description(ArenaCloseEvent.NUMBER)
    long arena;

    @Label("Kind")
    @Description("confined, shared or detached")
    String kind;

    @Label("Limit")
    @Description("The most it can hold at a time; N/A for one without its own limit")
    @DataAmount
    long limit;
}
