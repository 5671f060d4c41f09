package org.toydiff.nn;

import org.toydiff.Tensor;

/// Modules one after another, each fed with what the one before it gives. Their names are `0`, `1`, ….
public final class Sequential extends Module {
    private final Module[] modules;

    /// Chains modules.
    ///
    /// @param modules in the order in which they are applied
    public Sequential(Module... modules) {
        this.modules = modules.clone();
        for (int i = 0; i < modules.length; i++) {
            child(Integer.toString(i), modules[i]);
        }
    }

    @Override
    public Tensor forward(Tensor x) {
        Tensor y = x;
        for (Module module : modules) {
            y = module.forward(y);
        }
        return y;
    }

    @Override
    public String toString() {
        var text = new StringBuilder("Sequential(\n");
        for (int i = 0; i < modules.length; i++) {
            text.append("  (")
                    .append(i)
                    .append("): ")
                    .append(modules[i].toString().replace("\n", "\n  "))
                    .append('\n');
        }
        return text.append(')').toString();
    }
}
