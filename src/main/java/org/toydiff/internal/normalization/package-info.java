/// Normalisations in one pass forward and one backward over memory, which compute mean and variance again instead of
/// keeping them: of rows with a weight for each element (`RowNormalizationWork`: layer and root-mean-square
/// normalisation), and of groups of runs with a weight for each run (`GroupNormalizationWork`: group and batch
/// normalisation). Nothing here knows a tensor.
package org.toydiff.internal.normalization;
