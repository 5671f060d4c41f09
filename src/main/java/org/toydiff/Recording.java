package org.toydiff;

/// A region in which a thread records ops on tracked tensors, or does not: one of the user's, or what the engine runs
/// other code in.
final class Recording implements Region {
    private final Scope scope;
    private final String name;
    private final Recording outer;
    private final boolean before;
    private final Recompute segment;

    /// How many arenas were open or entered on the thread when it was begun.
    private final int depth;

    private boolean open = true;

    /// Of [Scope#begin], which puts it in force.
    Recording(Scope scope, String name, Recording outer) {
        this.scope = scope;
        this.name = name;
        this.outer = outer;
        this.before = scope.recording;
        this.segment = scope.segment;
        this.depth = scope.depth();
    }

    @Override
    public void close() {
        if (!open) {
            return;
        }
        if (Scope.current() != scope) {
            throw new IllegalStateException("close: the " + name + " was begun on another thread; close it there");
        }
        if (scope.region() != this) {
            throw new IllegalStateException("close: a " + scope.region().name + " that was begun inside this " + name
                    + " is still open; close it first");
        }
        if (scope.depth() != depth) {
            throw new IllegalStateException("close: an arena that was opened or entered inside this " + name
                    + " is still open; close it first");
        }
        end();
    }

    /// Ends it and whatever was begun inside it: for the engine, which does not rely on the code that it runs.
    void end() {
        for (Recording inner = scope.region(); inner != outer; inner = inner.outer) {
            inner.open = false;
        }
        scope.ended(outer, before, segment);
    }

    /// Throws unless the thread's innermost arena can be closed, or left, before it.
    void requireOutside(int arenas) {
        if (depth >= arenas) {
            throw new IllegalStateException(
                    "close: a " + name + " that was begun inside this arena is still open; close it first");
        }
    }
}
