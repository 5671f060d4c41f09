package org.toydiff.internal.convolution;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.kernels.ContiguousKernels;
import org.toydiff.internal.launch.Scratch;
import org.toydiff.internal.workers.Workers;

/// The gradient of a convolution to its image, from that of the feature map: a transposed convolution. A part is a
/// block of channels of one image, which no other part writes; where there is nothing to add up, a tile of one.
final class ImageWork extends ConvolutionWork {
    /// The fewest rows of patches in a part, so that products stay large.
    private static final long FEWEST_ROWS = 64;

    /// The channels in a part.
    private long channels;

    /// The parts of a group.
    private long blocks;

    ImageWork() {
        super(false);
    }

    @Override
    void run() {
        if (window.isPointwise()) {
            divide(window.depth());
            Workers.run(this, window.images * window.groups * tiling.count);
            return;
        }
        long wanted = Math.ceilDiv(PARTS, window.images * window.groups);
        long fewest = Math.min(window.channelsOfGroup(), Math.ceilDiv(FEWEST_ROWS, window.taps()));
        channels = Math.max(fewest, Math.ceilDiv(window.channelsOfGroup(), wanted));
        blocks = Math.ceilDiv(window.channelsOfGroup(), channels);
        divide(channels * window.taps());
        Workers.run(this, window.images * window.groups * blocks);
    }

    @Override
    protected void part(long index) {
        if (window.isPointwise()) {
            pointwise(index);
        } else {
            block(index);
        }
    }

    private void pointwise(long index) {
        long tile = index % tiling.count;
        long group = index / tiling.count % window.groups;
        long number = index / tiling.count / window.groups;
        long channel = group * window.channelsOfGroup();
        long at = imageAt(number, channel) + tiling.first(tile);
        multiply(number, group, 0, window.depth(), tile, image, at, window.plane());
        finish(image, at, channel, window.channelsOfGroup(), tiling.size(tile), window.plane());
    }

    private void block(long index) {
        long group = index / blocks % window.groups;
        long number = index / blocks / window.groups;
        long first = index % blocks * channels;
        long end = Math.min(first + channels, window.channelsOfGroup());
        long group0 = imageAt(number, group * window.channelsOfGroup());
        long at = group0 + first * window.plane();
        ContiguousKernels.of(wide).fill(image, at, (end - first) * window.plane(), 0);
        MemorySegment scratch = Scratch.take();
        try {
            for (long tile = 0; tile < tiling.count; tile++) {
                addTile(number, group, first * window.taps(), end * window.taps(), tile, scratch, group0);
            }
        } finally {
            Scratch.give(scratch);
        }
        finish(image, at, group * window.channelsOfGroup() + first, end - first, window.plane(), window.plane());
    }

    /// Computes rows `from` to `to − 1` of the gradient to a tile's patches, and adds them to the image.
    private void addTile(long number, long group, long from, long to, long tile, MemorySegment scratch, long group0) {
        long room = Scratch.BYTES / bytes() / tiling.size(tile);
        for (long row = from; row < to; row += room) {
            long end = Math.min(row + room, to);
            multiply(number, group, row, end, tile, scratch, 0, tiling.size(tile));
            patches.scatter(image, group0, row, end, tile, scratch, 0, tiling.size(tile));
        }
    }

    /// Multiplies columns `row` to `end − 1` of the group's weight, transposed, by the gradient of a tile.
    private void multiply(
            long number, long group, long row, long end, long tile, MemorySegment to, long at, long pitch) {
        long filter = group * window.filtersOfGroup();
        multiply(
                true,
                false,
                end - row,
                tiling.size(tile),
                window.filtersOfGroup(),
                weight,
                weightAt(filter) + row,
                window.depth(),
                features,
                featuresAt(number, filter) + tiling.first(tile),
                window.positions(),
                0,
                to,
                at,
                pitch);
    }
}
