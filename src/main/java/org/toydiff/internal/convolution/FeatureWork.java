package org.toydiff.internal.convolution;

import java.lang.foreign.MemorySegment;
import org.toydiff.internal.launch.Scratch;
import org.toydiff.internal.workers.Workers;

/// The convolution itself: `features = weight ∗ image`. A part is a tile of a group's maps of one image.
final class FeatureWork extends ConvolutionWork {
    FeatureWork() {
        super(false);
    }

    @Override
    void run() {
        divide(window.depth());
        Workers.run(this, window.images * window.groups * tiling.count);
    }

    @Override
    protected void part(long index) {
        long tile = index % tiling.count;
        long group = index / tiling.count % window.groups;
        long number = index / tiling.count / window.groups;
        long filter = group * window.filtersOfGroup();
        long to = featuresAt(number, filter) + tiling.first(tile);
        long from = imageAt(number, group * window.channelsOfGroup());
        if (window.isPointwise()) {
            long at = from + tiling.first(tile);
            multiply(filter, 0, window.depth(), tile, image, at, window.plane(), to);
        } else {
            throughPatches(filter, tile, from, to);
        }
        finish(features, to, filter, window.filtersOfGroup(), tiling.size(tile), window.positions());
    }

    private void throughPatches(long filter, long tile, long from, long to) {
        long room = Scratch.BYTES / bytes() / tiling.size(tile);
        MemorySegment scratch = Scratch.take();
        try {
            for (long row = 0; row < window.depth(); row += room) {
                long end = Math.min(row + room, window.depth());
                patches.gather(image, from, row, end, tile, scratch, 0, tiling.size(tile));
                multiply(filter, row, end, tile, scratch, 0, tiling.size(tile), to);
            }
        } finally {
            Scratch.give(scratch);
        }
    }

    /// Multiplies columns `row` to `end − 1` of the group's weight by as many rows of patches.
    private void multiply(
            long filter, long row, long end, long tile, MemorySegment patches, long at, long pitch, long to) {
        multiply(
                false,
                false,
                window.filtersOfGroup(),
                tiling.size(tile),
                end - row,
                weight,
                weightAt(filter) + row,
                window.depth(),
                patches,
                at,
                pitch,
                row == 0 ? 0 : 1,
                features,
                to,
                window.positions());
    }
}
