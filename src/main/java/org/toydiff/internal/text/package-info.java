/// Text of arrays: `ArrayText` prints elements as NumPy does. It knows no tensor.
package org.toydiff.internal.text;
