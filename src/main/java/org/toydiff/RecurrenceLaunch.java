package org.toydiff;

import static org.toydiff.Launch.memory;

import org.toydiff.internal.recurrence.Cell;
import org.toydiff.internal.recurrence.SequenceOperand;
import org.toydiff.internal.recurrence.SequenceWork;

/// The part of [Launch] where the steps of recurrent layers start. Shapes are already checked and outputs made; all
/// tensors are contiguous.
///
/// @param reverse whether the last step comes first
/// @param weight the weight of the hidden state
/// @param projection the weight of an LSTM's projection, or null
/// @param bias a GRU's bias of the hidden state, or null
/// @param initialHidden h before the first step
/// @param initialCell an LSTM's c before the first step, else null
/// @param padding the steps of each row that are padding, or null
/// @param gates the inputs' share of the gates, then the gates; null of an RNN, whose share is in `hidden`
/// @param hidden h after each step; of an LSTM, all elements of these and of the last c
/// @param saved c, or a GRU's share of h in its gate n, after each step or for one; null of an RNN
/// @param unprojected the factors of an LSTM's projections, likewise, or null
record RecurrenceLaunch(
        Cell cell,
        boolean reverse,
        Tensor weight,
        Tensor projection,
        Tensor bias,
        Tensor initialHidden,
        Tensor initialCell,
        Tensor padding,
        Tensor gates,
        Tensor hidden,
        Tensor saved,
        Tensor unprojected) {
    /// What a walk backward reads and writes beside what forward did.
    ///
    /// @param gradient the gradient of `hidden`
    /// @param gates the gradients of the gates' sums
    /// @param share those of a GRU's share of h in its gate n, else null
    /// @param projections those of an LSTM's projections, or null
    /// @param unprojected a place for that of a projection's factor, or null
    /// @param hidden the gradient of the initial h
    /// @param cell that of an LSTM's initial c, else null
    record Gradients(
            Tensor gradient,
            Tensor gates,
            Tensor share,
            Tensor projections,
            Tensor unprojected,
            Tensor hidden,
            Tensor cell) {}

    private boolean skips() {
        return initialHidden.size() == 0 || Launch.skips(hidden);
    }

    private SequenceWork begin() {
        SequenceWork work = Scope.current().sequences;
        long batch = initialHidden.shape[0];
        long units = weight.shape[0] / cell.gates;
        work.over(cell, hidden.isWide(), steps(), batch, units, initialHidden.shape[1], reverse);
        set(work.weight, weight);
        set(work.projection, projection);
        set(work.bias, bias);
        set(work.initialHidden, initialHidden);
        set(work.initialCell, initialCell);
        set(work.padding, padding);
        set(work.gates, gates);
        set(work.hidden, hidden);
        set(work.saved, saved);
        set(work.unprojected, unprojected);
        return work;
    }

    private long steps() {
        return gates == null ? hidden.shape[0] : gates.shape[0];
    }

    private static void set(SequenceOperand block, Tensor t) {
        if (t != null) {
            block.set(memory(t), t.offset);
        }
    }

    /// Computes h after each step.
    ///
    /// @param share the place for a GRU's share of h in the gates of one step, else null
    /// @param panels the transpose of the weight in panels, or null
    void forward(Tensor share, Tensor panels) {
        if (skips()) {
            return;
        }
        SequenceWork work = begin();
        set(work.share, share);
        set(work.panels, panels);
        work.forward(saved != null && saved.shape[0] == steps());
        Recorder recorder = Scope.current().recorder;
        if (recorder != null) {
            recorder.reads(gates == null ? hidden : gates);
            RecurrenceLaunch again = bound(recorder, true);
            Tensor place = recorder.writes(share);
            Tensor copied = recorder.reads(panels);
            recorder.keep(hidden.storage.op, () -> again.forward(place, copied), again.hidden);
        }
    }

    /// Computes the gradients from those of h after each step.
    void backward(Gradients g) {
        if (skips()) {
            return;
        }
        SequenceWork work = begin();
        set(work.gradient, g.gradient);
        set(work.gateGradients, g.gates);
        set(work.shareGradients, g.share);
        set(work.projectionGradients, g.projections);
        set(work.unprojectedGradient, g.unprojected);
        set(work.hiddenGradient, g.hidden);
        set(work.cellGradient, g.cell);
        work.backward();
        Recorder recorder = Scope.current().recorder;
        if (recorder != null) {
            RecurrenceLaunch again = bound(recorder, false);
            Gradients to = new Gradients(
                    recorder.reads(g.gradient),
                    recorder.writes(g.gates),
                    recorder.writes(g.share),
                    recorder.writes(g.projections),
                    recorder.writes(g.unprojected),
                    recorder.writes(g.hidden),
                    recorder.writes(g.cell));
            recorder.keep(g.gates.storage.op, () -> again.backward(to), to.gates);
        }
    }

    /// This launch over the tensors of a replay.
    private RecurrenceLaunch bound(Recorder recorder, boolean forward) {
        return new RecurrenceLaunch(
                cell,
                reverse,
                recorder.reads(weight),
                recorder.reads(projection),
                recorder.reads(bias),
                recorder.reads(initialHidden),
                recorder.reads(initialCell),
                recorder.reads(padding),
                forward ? recorder.writes(gates) : recorder.reads(gates),
                forward ? recorder.writes(hidden) : recorder.reads(hidden),
                forward ? recorder.writes(saved) : recorder.reads(saved),
                forward ? recorder.writes(unprojected) : recorder.reads(unprojected));
    }
}
