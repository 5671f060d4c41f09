package org.toydiff.internal.pooling;

/// The division of windows into tiles, by sizes alone. A tile is a block of windows of one plane, or those of several
/// whole planes.
final class WindowTiles {
    /// The most places of a window: each takes a pass over a tile.
    private static final int MOST_PLACES = 256;

    /// About as many elements of the input are in a tile: they and the results stay in a second-level cache.
    private static final long ELEMENTS = 1 << 13;

    /// The most elements of the input for each window: in a pass an element takes about a tenth of the time that a look
    /// at one place of one window takes.
    private static final long MOST_ELEMENTS_OF_WINDOW = 10;

    Windows rows;
    Windows columns;
    long planes;

    // The size of a tile in planes, and in rows and columns of windows; the last ones may be smaller.
    long planesOfTile;
    int rowsOfTile;
    int columnsOfTile;

    private int tilesAcross;

    /// Sets the windows.
    ///
    /// @return whether tiles are to be made of them
    boolean set(Windows rows, Windows columns) {
        this.rows = rows;
        this.columns = columns;
        if ((long) rows.kernel * columns.kernel > MOST_PLACES || columns.extent(1) > ELEMENTS / 4 / rows.extent(1)) {
            return false;
        }
        long all = rows.extent(rows.size) * columns.extent(columns.size);
        return all / MOST_ELEMENTS_OF_WINDOW <= (long) rows.size * columns.size;
    }

    /// Divides the windows of so many planes.
    void divide(long planes) {
        this.planes = planes;
        columnsOfTile = columns.within(ELEMENTS / rows.extent(1));
        tilesAcross = Math.ceilDiv(columns.size, columnsOfTile);
        // Tiles in their order have the windows of a plane in theirs, in which gradients are added.
        rowsOfTile = tilesAcross > 1 ? 1 : rows.within(ELEMENTS / columns.extent(columns.size));
        long each = rows.extent(rowsOfTile) * columns.extent(columnsOfTile);
        planesOfTile = tilesOfPlane() > 1 ? 1 : Math.clamp(ELEMENTS / each, 1, planes);
    }

    /// {@return the number of tiles of a plane, 1 if a tile has several planes}
    long tilesOfPlane() {
        return (long) tilesAcross * Math.ceilDiv(rows.size, rowsOfTile);
    }

    /// {@return whether the tiles, one for each plane, have all elements of the input}
    boolean areWhole() {
        return tilesOfPlane() == 1 && rows.reachEnd() && columns.reachEnd();
    }

    /// {@return the number of blocks of as many planes as a tile has}
    long blocks() {
        return Math.ceilDiv(planes, planesOfTile);
    }

    /// {@return the first row of a tile}
    int top(long tile) {
        return (int) (tile / tilesAcross) * rowsOfTile;
    }

    /// {@return the first column of a tile}
    int left(long tile) {
        return (int) (tile % tilesAcross) * columnsOfTile;
    }
}
