/// Factorizations and solves of batches of matrices in raw memory, by LAPACK: each matrix of a batch is work for one
/// thread.
package org.toydiff.internal.linalg;
