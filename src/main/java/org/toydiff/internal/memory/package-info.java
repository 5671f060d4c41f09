/// The memory of tensors: who made it, who may read it, and what it counts against.
///
/// | to find | read |
/// |---|---|
/// | the kinds of memory, and when a block is freed early | [org.toydiff.internal.memory.Storage] and its three kinds |
/// | where a limit is enforced, totals and leak reports | [org.toydiff.internal.memory.Ledger] |
/// | how an arena counts, opens and closes | [org.toydiff.internal.memory.Account] |
/// | how blocks are cut from slabs and recycled | [org.toydiff.internal.memory.BlockPool] |
/// | what the checked mode looks for | [org.toydiff.internal.memory.MemoryCheckError] |
package org.toydiff.internal.memory;
