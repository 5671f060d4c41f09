/// Random numbers: `DefaultGenerator` is the generator of the process, `Xoshiro256` its arithmetic, `Draws` a record
/// by which a checkpointed function draws the same numbers again.
package org.toydiff.internal.random;
