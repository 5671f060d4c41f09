/// Pooling and interpolation over planes: the windows that each output reads along an axis (`Windows`), and the
/// passes over them (`PoolingWork`). Nothing here knows a tensor.
package org.toydiff.internal.pooling;
