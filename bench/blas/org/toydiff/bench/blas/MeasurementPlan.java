package org.toydiff.bench.blas;

import java.util.List;

/// The libraries, numbers of threads and problems to measure.
///
/// @param libraries `openblas`, `mkl`, `system` and paths
/// @param threads ascending
record MeasurementPlan(List<String> libraries, List<Integer> threads, List<Problem> problems) {}
