/// The memory of tensors: its kinds, lifetimes, limits and totals.
///
/// | to find | read |
/// |---|---|
/// | kinds of memory; what may be freed early | [org.toydiff.internal.memory.Storage] and its three kinds |
/// | where a limit is enforced, totals and leak reports | [org.toydiff.internal.memory.Ledger] |
/// | how an arena counts, opens and closes | [org.toydiff.internal.memory.Account] |
/// | how blocks are cut from slabs and recycled | [org.toydiff.internal.memory.BlockPool] |
/// | how the checked mode finds stray writes | [org.toydiff.internal.memory.BlockPool] and `Guard` |
package org.toydiff.internal.memory;
