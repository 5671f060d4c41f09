/// Random numbers: `Xoshiro256` is the generator of the process, with a state that can be saved.
package org.toydiff.internal.random;
