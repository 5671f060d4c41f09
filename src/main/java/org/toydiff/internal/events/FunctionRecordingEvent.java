package org.toydiff.internal.events;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

/// A recording of a compiled function. Many of one function mean that it is replayed seldom.
@Name("toydiff.FunctionRecording")
@Label("Function Recording")
@Description("A compiled function was recorded, which it is once for each set of shapes")
@Category("toydiff")
public final class FunctionRecordingEvent extends Event {
    @Label("Number")
    @Description("How many recordings of the function there have been")
    int number;

    @Label("Launches")
    int launches;

    @Label("Planned Bytes")
    @Description("The block in which the temporaries lie")
    @DataAmount
    long planned;

    @Label("Lower Bound")
    @Description("The most bytes of temporaries that live at one time")
    @DataAmount
    long lowerBound;

    FunctionRecordingEvent() {}

    /// Commits the event.
    public void write(int number, int launches, long planned, long lowerBound) {
        this.number = number;
        this.launches = launches;
        this.planned = planned;
        this.lowerBound = lowerBound;
        commit();
    }
}
