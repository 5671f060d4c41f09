/// Random numbers: `DefaultGenerator` is the generator of the process, `Xoshiro256` its arithmetic, `Draws` a record
/// by which a checkpointed function draws the same numbers again. `DropoutMask` takes one number for a tensor and the
/// rest from a counter-based generator, `Philox`. `WeightTree` draws positions by weights.
package org.toydiff.internal.random;
