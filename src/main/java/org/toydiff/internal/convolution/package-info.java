/// Convolutions over raw segments: NCHW images, and no matrix of all patches anywhere.
///
/// | subject | files |
/// |---|---|
/// | the sizes of a convolution | `Window` |
/// | the tiles of a feature map, blocks of output positions | `Tiling` |
/// | the patch matrix of a tile: gathered from an image, or added back to it | `Patches`, `Overlap` |
/// | parts, operands and what follows a part | `ConvolutionWork` |
/// | the convolution, its gradient to the image and to the weight | `FeatureWork`, `ImageWork`, `WeightWork` |
/// | the three of depthwise convolutions, without a product | `DepthwiseWork` |
/// | patch matrices as results: `unfold` and `fold` | `PatchWork` |
/// | one of each for a thread | `Convolutions` |
///
/// Each of the three is linear in either operand and the gradient of the other two, so they are all that derivatives of
/// any order need. A transposed convolution is the gradient to the image, run forward.
///
/// A part gathers the patches of a tile into a piece of `internal.launch.Scratch`, at a size that stays in the
/// second-level cache, and multiplies them by one call of BLAS where the result lies. Rows of the patch matrix are
/// copied as blocks: an axis of output positions with stride 1 is a run of the image.
package org.toydiff.internal.convolution;
