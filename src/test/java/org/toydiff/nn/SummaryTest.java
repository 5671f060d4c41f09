package org.toydiff.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.Tensor;

/// Summaries of layers of every form: each output and each parameter counts once.
class SummaryTest extends ArenaTest {
    /// Two numbers and a path, as `0.value 15 24`: parameters and output bytes.
    private static List<String> rows(Summary summary) {
        return summary.layers().stream()
                .map(row -> row.path() + " " + row.parameters() + " " + row.outputBytes())
                .toList();
    }

    private static void requireRows(Layer layer, Summary summary, String... rows) {
        assertEquals(List.of(rows), rows(summary));
        assertEquals(
                layer.parameters().stream().mapToLong(Tensor::size).sum(),
                summary.layers().stream().mapToLong(Summary.Row::parameters).sum(),
                "each parameter in one row");
        assertEquals(
                summary.parameters(),
                summary.layers().stream().mapToLong(Summary.Row::parameters).sum());
        assertEquals(
                summary.activationBytes(),
                summary.layers().stream().mapToLong(Summary.Row::outputBytes).sum());
    }

    @Test
    void aLayerWithChildrenAndItsOwnOpsHasARowAfterTheirs() {
        var gated = new Gated();
        requireRows(gated, gated.summary(2, 4), "value 15 24", "gate 15 24", " 3 24");
        var nested = new Sequential(new Linear(4, 4), new Sequential(gated, new Linear(3, 4)));
        requireRows(
                nested, nested.summary(2, 4), "0 20 32", "1.0.value 15 24", "1.0.gate 15 24", "1.0 3 24", "1.1 16 32");
        assertEquals("Gated", nested.summary(2, 4).layers().get(3).layer(), "one line, not the tree");
    }

    /// Applies one layer several times.
    private static final class Repeated extends Layer {
        private final Layer layer;
        private final int times;

        Repeated(Layer layer, int times) {
            this.layer = child("layer", layer);
            this.times = times;
        }

        @Override
        protected Tensor compute(Tensor x) {
            Tensor y = x;
            for (int i = 0; i < times; i++) {
                y = layer.forward(y);
            }
            return y;
        }
    }

    @Test
    void aSharedLayerHasARowForEachCallAndCountsItsParametersOnce() {
        var linear = new Linear(4, 4);
        var repeated = new Repeated(linear, 3);
        requireRows(repeated, repeated.summary(2, 4), "layer 20 32", "layer 0 32", "layer 0 32");
        var twice = new Sequential(linear, new Tanh(), linear);
        requireRows(twice, twice.summary(2, 4), "0 20 32", "1 0 32", "0 0 32");
        var deeper = new Sequential(new Residual(linear), linear);
        requireRows(deeper, deeper.summary(2, 4), "0.module 20 32", "0 0 32", "1 0 32");
    }

    @Test
    void aLayerThatIsNotUsedCountsWhereItIsRegistered() {
        var unused = new Sequential(new Repeated(new Linear(4, 4), 0), new Linear(4, 2));
        requireRows(unused, unused.summary(2, 4), "0 20 32", "1 10 16");
        var head = new Layer() {
            private final Linear body = child("body", new Linear(4, 4));
            private final Linear auxiliary = child("auxiliary", new Linear(4, 2));

            @Override
            protected Tensor compute(Tensor x) {
                return body.forward(x);
            }
        };
        requireRows(head, head.summary(2, 4), "body 20 32", " 10 0");
        assertEquals("SummaryTest$1", head.summary(2, 4).layers().get(1).layer());
    }

    /// A layer that takes two inputs and returns two outputs, by a method of its own.
    private static final class Pair extends Layer {
        private final Linear left = child("left", new Linear(4, 3));
        private final Linear right = child("right", new Linear(4, 3));
        private final Tensor scale = parameter("scale", Tensor.ones(3));

        List<Tensor> both(Tensor a, Tensor b) {
            Tensor sum = left.forward(a).add(right.forward(b));
            return List.of(sum, sum.multiply(scale));
        }

        @Override
        protected Tensor compute(Tensor x) {
            return both(x, x).getLast();
        }
    }

    /// Uses a layer by that method and by its children.
    private static final class PairUser extends Layer {
        private final Pair pair = child("pair", new Pair());

        @Override
        protected Tensor compute(Tensor x) {
            List<Tensor> outputs = pair.both(x, x.negative());
            return outputs.getFirst().multiply(outputs.getLast());
        }
    }

    @Test
    void layersOfSeveralInputsAndOutputsAreFollowed() {
        var user = new PairUser();
        requireRows(user, user.summary(5, 4), "pair.left 15 60", "pair.right 15 60", " 3 60");
        var nested = new Sequential(user, new Linear(3, 1));
        requireRows(nested, nested.summary(5, 4), "0.pair.left 15 60", "0.pair.right 15 60", "0 3 60", "1 4 20");
    }

    @Test
    void aRootOfSeveralInputsIsSummarisedByACall() {
        var pair = new Pair();
        List<Tensor> inputs = List.of(Tensor.ones(5, 4), Tensor.ones(1, 4));
        long live = arena.liveBytes();
        Summary summary = pair.summary(in -> pair.both(in.get(0), in.get(1)).getLast(), inputs);
        requireRows(pair, summary, "left 15 60", "right 15 12", " 3 60");
        assertEquals(List.of(List.of(5L, 4L), List.of(1L, 4L)), summary.inputs());
        assertTrue(
                summary.toString().endsWith(String.format("outputs: 132 bytes for inputs [5, 4] and [1, 4]%n")),
                summary::toString);
        assertTrue(pair.summary(2, 4).toString().endsWith(String.format(" for an input [2, 4]%n")));
        assertEquals(live, arena.liveBytes());
        requireRows(
                pair, pair.summary(in -> pair.forward(in.getFirst()), inputs), "left 15 60", "right 15 60", " 3 60");
        var e = assertThrows(
                IllegalArgumentException.class,
                () -> pair.summary(
                        in -> pair.both(in.get(0), in.get(1)).getLast(), List.of(inputs.get(0), Tensor.ones(5, 3))));
        assertTrue(e.getMessage().startsWith("Linear(in=4, out=3, bias=true) at \"right\": linear: "), e.getMessage());
        var embedding = new Embedding(4, 2);
        Summary ofIntegers = embedding.summary(
                in -> embedding.forward(in.get(0)).add(in.get(1)),
                List.of(Tensor.zeros(DType.INT64, 3), Tensor.ones(3, 1)));
        requireRows(embedding, ofIntegers, " 8 24", " 0 24");
    }

    /// Makes a layer for each call, and holds one without registering it.
    private static final class Careless extends Layer {
        private final Linear hidden = new Linear(4, 4);

        @Override
        protected Tensor compute(Tensor x) {
            return new ReLU().forward(hidden.forward(x));
        }
    }

    @Test
    void layersThatAreNotRegisteredAreNamedByTheirClassAndTheirParametersDoNotCount() {
        var careless = new Sequential(new Careless());
        requireRows(careless, careless.summary(2, 4), "0.(Linear) 0 32", "0.(ReLU) 0 32");
    }

    @Test
    void aLayerRegisteredElsewhereHasThePathThatItHasThere() {
        var shared = new Linear(4, 4);
        var user = new Layer() {
            @Override
            protected Tensor compute(Tensor x) {
                return shared.forward(x).exp();
            }
        };
        var net = new Sequential(user, shared);
        requireRows(net, net.summary(2, 4), "1 20 32", "0 0 32", "1 0 32");
    }

    @Test
    void layersWithoutParametersHaveRows() {
        var net = new Sequential(new Tanh(), new Residual(new Sequential()), new Residual(new SiLU()));
        requireRows(net, net.summary(2, 4), "0 0 32", "1.module 0 32", "1 0 32", "2.module 0 32", "2 0 32");
        assertEquals(DType.FLOAT32.bytes() * 40, net.summary(2, 4).activationBytes());
    }

    @Test
    void aWrapperHasNoRowOfItsOwn() {
        var net = new Sequential(Checkpoint.of(new Gated()), Checkpoint.of(Checkpoint.of(new Linear(3, 2))));
        requireRows(net, net.summary(2, 4), "0.value 15 24", "0.gate 15 24", "0 3 24", "1 8 16");
    }
}
