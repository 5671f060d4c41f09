package org.toydiff.bench.blas;

import java.util.List;

/// What to measure.
///
/// @param libraries `bundled`, `system` and paths
/// @param threads ascending
record Settings(List<String> libraries, List<Integer> threads, List<Problem> problems) {}
