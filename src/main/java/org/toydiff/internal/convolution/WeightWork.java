package org.toydiff.internal.convolution;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.launch.PartialSums;
import org.toydiff.internal.launch.Scratch;
import org.toydiff.internal.workers.Workers;

/// The gradient of a convolution to its weight, from the image and the gradient of the feature map. A part is a block
/// of a group's weights, those of some rows of patches, over a chunk of the images; chunks are added in a fixed tree.
final class WeightWork extends ConvolutionWork {
    /// The most rows of patches in a part.
    private static final long MOST_ROWS = 192;

    /// The most chunks: as many partial results as [PartialSums] has memory for.
    private static final long MOST_CHUNKS = 8;

    /// Partial results are added this many elements at a time, which stay in a first-level cache.
    private static final long SUM = 2048;

    private final PartialSums partials = new PartialSums();
    private long rows;
    private long blocks;
    private long chunks;
    private long imagesOfChunk;

    /// Whether the parts add partial results; else they multiply.
    private boolean adds;

    WeightWork() {
        super(false);
    }

    @Override
    void run() {
        rows = Tiling.evenly(window.depth(), MOST_ROWS);
        blocks = Math.ceilDiv(window.depth(), rows);
        divide(rows);
        long size = window.filters * window.depth();
        long room = Scratch.BYTES / bytes();
        long wanted = Math.ceilDiv(PARTS / 2, blocks * window.groups);
        imagesOfChunk = size > room ? window.images : Math.ceilDiv(window.images, Math.min(wanted, MOST_CHUNKS));
        chunks = Math.ceilDiv(window.images, imagesOfChunk);
        try {
            partials.take(weight, weight0, (int) chunks, size, room);
            Workers.run(this, window.groups * blocks * chunks);
            adds = true;
            Workers.run(this, chunks == 1 ? 0 : parts(size, SUM));
        } finally {
            adds = false;
            partials.giveBack();
        }
    }

    @Override
    protected void part(long index) {
        if (adds) {
            long from = index * SUM;
            partials.add(wide, from, Math.min(SUM, window.filters * window.depth() - from));
            return;
        }
        long block = index % blocks;
        long group = index / blocks % window.groups;
        int chunk = (int) (index / blocks / window.groups);
        MemorySegment scratch = window.isPointwise() ? null : Scratch.take();
        try {
            chunk(chunk, group, block * rows, Math.min((block + 1) * rows, window.depth()), scratch);
        } finally {
            if (scratch != null) {
                Scratch.give(scratch);
            }
        }
    }

    private void chunk(int chunk, long group, long row, long end, MemorySegment scratch) {
        MemorySegment to = partials.memory(chunk);
        long at = partials.start(chunk) + group * window.filtersOfGroup() * window.depth() + row;
        long first = chunk * imagesOfChunk;
        for (long number = first; number < Math.min(first + imagesOfChunk, window.images); number++) {
            long group0 = imageAt(number, group * window.channelsOfGroup());
            for (long tile = 0; tile < tiling.count; tile++) {
                double beta = number == first && tile == 0 ? 0 : 1;
                if (scratch == null) {
                    long from = group0 + row * window.plane() + tiling.first(tile);
                    multiply(number, group, end - row, tile, image, from, window.plane(), beta, to, at);
                } else {
                    patches.gather(image, group0, row, end, tile, scratch, 0, tiling.size(tile));
                    multiply(number, group, end - row, tile, scratch, 0, tiling.size(tile), beta, to, at);
                }
            }
        }
    }

    /// Multiplies a tile of the gradient by `rows` rows of patches, transposed.
    private void multiply(
            long number,
            long group,
            long rows,
            long tile,
            MemorySegment patches,
            long from,
            long pitch,
            double beta,
            MemorySegment to,
            long at) {
        long filter = group * window.filtersOfGroup();
        multiply(
                false,
                true,
                window.filtersOfGroup(),
                rows,
                tiling.size(tile),
                features,
                featuresAt(number, filter) + tiling.first(tile),
                window.positions(),
                patches,
                from,
                pitch,
                beta,
                to,
                at,
                window.depth());
    }
}
