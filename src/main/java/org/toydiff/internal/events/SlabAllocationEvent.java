package org.toydiff.internal.events;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

/// Rare: a program in its steady state makes no slab.
@Name("toydiff.SlabAllocation")
@Label("Tensor Slab Allocated")
@Description("The pool of tensors' blocks grew by memory from the operating system")
@Category("toydiff")
public final class SlabAllocationEvent extends Event {
    @Label("Size")
    @Description("Bytes of the new slab, of which untouched pages are not resident")
    @DataAmount
    long bytes;

    @Label("Held")
    @Description("Bytes of all slabs, this one included")
    @DataAmount
    long held;

    SlabAllocationEvent() {}

    /// Writes it. Sizes are in bytes.
    public void write(long bytes, long held) {
        this.bytes = bytes;
        this.held = held;
        commit();
    }
}
