package org.toydiff.nn;

import org.toydiff.Autograd;
import org.toydiff.Tensor;

/// A module none of whose intermediates is kept for backward: they are computed again there. Costs a second forward
/// of the module and saves the memory of what it makes: [Autograd#checkpoint].
///
/// Its parameters have the names they have in the module alone, so that a state dict fits with and without it. The
/// module must give the same result for the same input: random numbers are drawn as the
/// first time, but running statistics would be updated twice.
public final class Checkpoint extends Module {
    private final Module module;

    private Checkpoint(Module module) {
        this.module = whole(module);
    }

    /// Wraps a module.
    ///
    /// @param module what is computed again in backward; best one that makes much and takes and gives little
    /// @return the wrapped module
    public static Checkpoint of(Module module) {
        return new Checkpoint(module);
    }

    @Override
    public Tensor forward(Tensor x) {
        return Autograd.checkpoint(in -> forward(module, in), x, module.parameters());
    }

    @Override
    public String toString() {
        return "Checkpoint(" + module + ")";
    }
}
