package org.toydiff.internal.events;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

/// A rare event: a program in its steady state allocates no slabs.
@Name("toydiff.SlabAllocation")
@Label("Tensor Slab Allocated")
@Description("The pool of tensor blocks grew by memory from the operating system")
@Category("toydiff")
public final class SlabAllocationEvent extends Event {
    @Label("Size")
    @Description("Bytes of the new slab; pages not yet touched are not resident")
    @DataAmount
    long bytes;

    @Label("Held")
    @Description("Bytes of all slabs, the new one included")
    @DataAmount
    long held;

    SlabAllocationEvent() {}

    /// Commits the event. Sizes are in bytes.
    public void write(long bytes, long held) {
        this.bytes = bytes;
        this.held = held;
        commit();
    }
}
