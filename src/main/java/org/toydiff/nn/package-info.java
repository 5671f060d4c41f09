/// Layers, losses and initializers, made of the public API of `org.toydiff` alone.
///
/// Parameters live in the arena that was innermost when the layer was made, and layers may be used by
/// whatever threads that arena allows. Shapes, lifetimes and threads are checked by the ops underneath.
package org.toydiff.nn;
