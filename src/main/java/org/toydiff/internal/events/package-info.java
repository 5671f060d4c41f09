/// The events of Java Flight Recorder, off the hot paths and free while nothing records.
///
/// | subject | files |
/// |---|---|
/// | entry point: creates events if something records | `Events` |
/// | opening and closing of an arena | `ArenaOpenEvent`, `ArenaCloseEvent` |
/// | growth of the pool, refused tensors | `SlabAllocationEvent`, `MemoryLimitEvent` |
/// | backward passes | `BackwardEvent` |
package org.toydiff.internal.events;
