/// Tensors outside the Java heap, arenas that own them, and reverse-mode gradients.
///
/// **Memory** (1) A tensor's elements live in the arena that was innermost on this thread when it was made. (2)
/// Closing an arena frees them all at once; touching one later throws. (3) Parameters are made in an outer arena;
/// each step opens an inner one.
///
/// **Lifetimes** What is freed, by closing or by [org.toydiff.Release#EAGER], throws IllegalStateException
/// when it is read.
/// **Threads** A tensor of a confined arena belongs to the thread that opened it, and elsewhere throws
/// WrongThreadException. One of a shared arena may be read by any number of threads at once; writing to it
/// while another reads needs a lock of the caller's, except that backward adds to the gradient of a shared
/// leaf under a lock of its own.
/// **Null** is never accepted nor returned, save where a parameter says so; it throws NullPointerException.
///
/// **The JVM's options** A bad value of one of the properties `toydiff.…` is an IllegalArgumentException that says what
/// is allowed, and a JVM that denies the library native access an IllegalStateException that names the flag: from the
/// first arena, tensor or call that needs them, and from each one after it.
package org.toydiff;
