package org.toydiff.nn;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.toydiff.Tensor;

/// Follows the calls of layers while a [Summary] is made, and makes its rows.
final class SummaryCalls {
    private final Layer root;
    private final List<Summary.Row> rows = new ArrayList<>();

    /// The parameters that no row counts yet.
    private final Set<Tensor> uncounted = identitySet();

    /// The call that is under way, or null.
    private Call current;

    /// A call of a layer, with the outputs of the calls that it made.
    private record Call(Layer layer, String path, Set<Tensor> outputs) {}

    SummaryCalls(Layer root, Collection<Tensor> parameters) {
        this.root = root;
        uncounted.addAll(parameters);
    }

    private static Set<Tensor> identitySet() {
        return Collections.newSetFromMap(new IdentityHashMap<>());
    }

    List<Summary.Row> rows() {
        return rows;
    }

    /// Computes the output of a layer for some inputs, and adds its row after those of the layers that it calls.
    Tensor record(Layer layer, List<Tensor> inputs, Supplier<Tensor> output) {
        Call outer = current;
        var call = new Call(layer, path(layer), identitySet());
        current = call;
        try {
            Tensor y = output.get();
            addRow(call, inputs, y);
            if (outer != null) {
                outer.outputs.add(y);
            }
            return y;
        } finally {
            current = outer;
        }
    }

    private String path(Layer layer) {
        if (current == null || layer == root) {
            return "";
        }
        String inCaller = current.layer.pathOf(layer);
        if (inCaller != null) {
            return Layer.path(current.path, inCaller);
        }
        String inRoot = root.pathOf(layer);
        return inRoot != null ? inRoot : Layer.path(current.path, "(" + layer.className() + ")");
    }

    private void addRow(Call call, List<Tensor> inputs, Tensor y) {
        Layer layer = call.layer;
        boolean callsOthers = !call.outputs.isEmpty();
        boolean passesOn = callsOthers && (layer.isWrapper() || inputs.contains(y) || call.outputs.contains(y));
        long parameters = layer.parameters().stream()
                .filter(uncounted::remove)
                .mapToLong(Tensor::size)
                .sum();
        if (!passesOn || parameters > 0) {
            long bytes = passesOn ? 0 : Summary.bytes(y);
            rows.add(new Summary.Row(call.path, description(layer), Summary.list(y.shape()), parameters, bytes));
        }
    }

    /// Returns one line: layers with children print as trees, unless their class says otherwise.
    private static String description(Layer layer) {
        String text = layer.toString();
        return text.contains("\n") ? layer.className() : text;
    }
}
