package org.toydiff.internal.events;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/// Rare: once for each kernel that is used much, and again when the JVM throws its code away.
@Name("toydiff.KernelForm")
@Label("Kernel Form Chosen")
@Description("A kernel changed between its scalar form and the one on the Vector API")
@Category("toydiff")
@StackTrace(false)
public final class KernelFormEvent extends Event {
    @Label("Kernel")
    String kernel;

    @Label("Vector Form")
    @Description("Whether the vector form runs from now on; else the scalar form does")
    boolean vector;

    KernelFormEvent() {}

    /// Writes it.
    public void write(String kernel, boolean vector) {
        this.kernel = kernel;
        this.vector = vector;
        commit();
    }
}
