/// Pooling and interpolation over planes. Nothing here knows a tensor.
///
/// | subject | files |
/// |---|---|
/// | the windows that each output reads along an axis | `Windows` |
/// | the passes over them; how an operand lies | `PoolingWork`, `Planes` |
/// | part of a row in arrays, in which windows are read one by one | `RowBuffer` |
/// | the largest elements of windows that are small and many, all windows of a tile at once | `WindowTiles`,
// `WindowTile` |
package org.toydiff.internal.pooling;
