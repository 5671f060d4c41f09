/// Data sets read from files, and batches of them for training: made of the public API of `org.toydiff` alone.
package org.toydiff.data;
