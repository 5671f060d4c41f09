package org.toydiff.internal.memory;

import java.util.ArrayList;
import java.util.List;
import org.toydiff.internal.events.Events;
import org.toydiff.internal.events.SlabAllocationEvent;

/// Recycles blocks: two-level segregated fit, constant time for taking and giving back.
///
/// Free blocks hang in lists by size, sixteen to each power of two, with a bit per list; a block given back
/// joins its free neighbours at once. Source: M. Masmano, I. Ripoll, A. Crespo, J. Real, "TLSF: a new
/// dynamic memory allocator for real-time systems", ECRTS 2004. Not synchronized: callers hold one lock.
public final class BlockPool {
    /// Every block begins at and measures a multiple of this many bytes: a cache line, and an AVX-512 vector.
    public static final long UNIT = 64;

    private static final int SPLIT_BITS = 4;
    private static final int SPLIT = 1 << SPLIT_BITS;
    private static final int LISTS = (Long.SIZE - SPLIT_BITS) * SPLIT;

    /// Untouched pages of a slab are not resident, so a generous size costs address space only.
    private static final long SLAB_BYTES = 64L << 20;

    /// Whether guard bytes keep blocks apart, which are verified when a block is given back, and free memory is
    /// filled with NaN.
    private final boolean checked;

    private final Block[] heads = new Block[LISTS];
    private final long[] nonEmpty = new long[LISTS / Long.SIZE];
    private final List<Block> firstOfSlab = new ArrayList<>();

    /// Block objects without memory, for the next split, so that a program in its steady state makes none.
    private Block spare;

    private long slabsMade;
    private long slabBytes;

    /// An empty pool.
    ///
    /// @param checked whether to look for writes by code that does not own a block, at the cost of a pass over each
    ///     block when it is taken and when it is given back
    public BlockPool(boolean checked) {
        this.checked = checked;
    }

    /// Returns `bytes` rounded up to whole units, or `Long.MAX_VALUE` where that overflows.
    public static long rounded(long bytes) {
        return bytes > Long.MAX_VALUE - UNIT ? Long.MAX_VALUE : (bytes + UNIT - 1) & -UNIT;
    }

    /// How many slabs the operating system has given since the start; constant in the steady state.
    public long slabsMade() {
        return slabsMade;
    }

    /// The bytes that are held from the operating system now, in use or not.
    public long slabBytes() {
        return slabBytes;
    }

    /// Takes a block, which holds whatever its last user left in it.
    ///
    /// @param bytes its size, a multiple of [#UNIT] and not 0
    /// @param used how many bytes its user may write, which the checked mode enforces
    /// @return the block, or null when the system has no more memory
    /// @throws MemoryCheckError in the checked mode, if the block was written after it was freed
    public Block take(long bytes, long used) {
        if (!checked) {
            return cut(bytes);
        }
        Block block = bytes > Long.MAX_VALUE - Guard.BYTES ? null : cut(bytes + Guard.BYTES);
        if (block != null) {
            Guard.place(block, used);
        }
        return block;
    }

    /// `take(bytes, bytes)`.
    public Block take(long bytes) {
        return take(bytes, bytes);
    }

    private Block cut(long bytes) {
        Block block = find(bytes);
        if (block == null) {
            block = grow(bytes);
            if (block == null) {
                return null;
            }
        } else {
            unlink(block);
        }
        split(block, bytes);
        block.free = false;
        return block;
    }

    /// Takes back a block, which nobody may use any more.
    ///
    /// @throws MemoryCheckError in the checked mode, if something was written past its end; it is taken back then,
    ///     too
    public void give(Block block) {
        if (block.free) {
            throw new AssertionError("a block was given back twice");
        }
        if (!checked) {
            join(block);
            return;
        }
        try {
            Guard.verify(block);
        } finally {
            Guard.erase(block);
            join(block);
        }
    }

    private void join(Block block) {
        Block whole = block;
        if (block.after != null && block.after.free) {
            unlink(block.after);
            absorb(block, block.after);
        }
        if (block.before != null && block.before.free) {
            whole = block.before;
            unlink(whole);
            absorb(whole, block);
        }
        link(whole);
    }

    private Block find(long bytes) {
        int list = listOf(bytes);
        for (Block block = heads[list]; block != null; block = block.nextFree) {
            if (block.bytes >= bytes) {
                return block;
            }
        }
        int larger = nextNonEmpty(list + 1);
        return larger < 0 ? null : heads[larger];
    }

    private int nextNonEmpty(int from) {
        int word = from / Long.SIZE;
        long bits = nonEmpty[word] & (-1L << from);
        while (bits == 0) {
            if (++word == nonEmpty.length) {
                return -1;
            }
            bits = nonEmpty[word];
        }
        return word * Long.SIZE + Long.numberOfTrailingZeros(bits);
    }

    /// Gets another slab. Slabs that are free as a whole are too small for this request, or it would have been met;
    /// they go back first, so that a program whose shapes grow does not hold small slabs beside large ones.
    private Block grow(long bytes) {
        releaseFreeSlabs();
        if (bytes > Long.MAX_VALUE - Slab.ALIGNMENT) {
            return null;
        }
        long size = (Math.max(bytes, SLAB_BYTES) + Slab.ALIGNMENT - 1) & -Slab.ALIGNMENT;
        SlabAllocationEvent event = Events.slabAllocation();
        Slab slab = Slab.make(size);
        if (slab == null) {
            return null;
        }
        slabsMade++;
        slabBytes += size;
        if (event != null) {
            event.write(size, slabBytes);
        }
        Block block = new Block(slab, 0, size);
        if (checked) {
            Guard.erase(block);
        }
        firstOfSlab.add(block);
        return block;
    }

    private void releaseFreeSlabs() {
        firstOfSlab.removeIf(first -> {
            boolean whole = first.free && first.after == null;
            if (whole) {
                unlink(first);
                slabBytes -= first.bytes;
                first.slab.release();
            }
            return whole;
        });
    }

    private void split(Block block, long bytes) {
        if (block.bytes == bytes) {
            return;
        }
        Block rest = fresh(block.slab, block.offset + bytes, block.bytes - bytes);
        rest.before = block;
        rest.after = block.after;
        if (rest.after != null) {
            rest.after.before = rest;
        }
        block.after = rest;
        block.bytes = bytes;
        link(rest);
    }

    private Block fresh(Slab slab, long offset, long bytes) {
        Block block = spare;
        if (block == null) {
            return new Block(slab, offset, bytes);
        }
        spare = block.nextFree;
        block.nextFree = null;
        block.slab = slab;
        block.offset = offset;
        block.bytes = bytes;
        return block;
    }

    private void absorb(Block block, Block next) {
        block.bytes += next.bytes;
        block.after = next.after;
        if (block.after != null) {
            block.after.before = block;
        }
        next.slab = null;
        next.before = null;
        next.after = null;
        next.nextFree = spare;
        spare = next;
    }

    private void link(Block block) {
        int list = listOf(block.bytes);
        block.free = true;
        block.previousFree = null;
        block.nextFree = heads[list];
        if (block.nextFree != null) {
            block.nextFree.previousFree = block;
        }
        heads[list] = block;
        nonEmpty[list / Long.SIZE] |= 1L << list;
    }

    private void unlink(Block block) {
        int list = listOf(block.bytes);
        if (block.previousFree != null) {
            block.previousFree.nextFree = block.nextFree;
        } else {
            heads[list] = block.nextFree;
        }
        if (block.nextFree != null) {
            block.nextFree.previousFree = block.previousFree;
        }
        if (heads[list] == null) {
            nonEmpty[list / Long.SIZE] &= ~(1L << list);
        }
        block.free = false;
        block.previousFree = null;
        block.nextFree = null;
    }

    /// The list of a size in units: the number itself up to 15, then its leading one and the four bits below it.
    private static int listOf(long bytes) {
        long units = bytes / UNIT;
        int high = Long.SIZE - 1 - Long.numberOfLeadingZeros(units);
        if (high < SPLIT_BITS) {
            return (int) units;
        }
        int split = (int) (units >>> (high - SPLIT_BITS)) & (SPLIT - 1);
        return ((high - SPLIT_BITS + 1) << SPLIT_BITS) + split;
    }
}
