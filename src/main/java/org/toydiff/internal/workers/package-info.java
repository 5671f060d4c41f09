/// The threads that share large work.
///
/// | subject | files |
/// |---|---|
/// | entry point: runs a work on all threads, sets their number | `Workers` |
/// | a work split into parts: tickets, waiting, exceptions | `Work` |
/// | the threads: polling, parking, starting and ending | `WorkerPool` |
///
/// How each op is split is decided where it is launched, in `internal.launch`.
package org.toydiff.internal.workers;
