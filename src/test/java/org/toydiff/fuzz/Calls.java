package org.toydiff.fuzz;

import java.util.List;
import java.util.stream.Stream;

/// Every kind of call, drawn by weight.
final class Calls {
    static final List<Row> ALL = Stream.of(
                    CreationCalls.rows(),
                    ElementCalls.rows(),
                    IntegerCalls.rows(),
                    ProductCalls.rows(),
                    ConvolutionCalls.rows(),
                    RecurrenceCalls.rows(),
                    ReductionCalls.rows(),
                    OrderCalls.rows(),
                    PoolingCalls.rows(),
                    ViewCalls.rows(),
                    ArrangementCalls.rows(),
                    LifetimeCalls.rows(),
                    GradientCalls.rows(),
                    LayerCalls.rows())
            .flatMap(List::stream)
            .toList();

    private static final int WEIGHTS = ALL.stream().mapToInt(Row::weight).sum();

    private Calls() {}

    static Row draw(Choice c) {
        int at = c.below(WEIGHTS);
        for (Row row : ALL) {
            at -= row.weight();
            if (at < 0) {
                return row;
            }
        }
        throw new AssertionError("weights");
    }
}
