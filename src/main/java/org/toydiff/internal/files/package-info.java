/// What every package may use though it is not exported, because it touches no tensor: files that are there whole or
/// not at all, exceptions that name the file, and the libraries that a program may leave out.
package org.toydiff.internal.files;
