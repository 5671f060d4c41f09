package org.toydiff;

import java.util.Arrays;

/// The gradients that a walk backward has changed, so that one that fails leaves none that looks whole and is not.
///
/// A gradient that was not there before is emptied again. One that was there has been added to in place, and nothing
/// can take that back: it is marked, and reading it throws until it is emptied. One object for each thread, used again.
final class GradientLog {
    private Tensor[] tensors = new Tensor[16];
    private int[] versions = new int[16];
    private boolean[] wereSet = new boolean[16];
    private int size;

    /// Notes that the gradient of `t` is about to be changed, and counts the change. A leaf's is changed under the
    /// leaf's lock.
    void changing(Tensor t) {
        if (size == tensors.length) {
            tensors = Arrays.copyOf(tensors, 2 * size);
            versions = Arrays.copyOf(versions, 2 * size);
            wereSet = Arrays.copyOf(wereSet, 2 * size);
        }
        tensors[size] = t;
        wereSet[size] = t.gradientSet;
        versions[size++] = t.gradient == null ? 0 : t.gradient.storage.version++;
    }

    /// Forgets them: the walk has ended well.
    void clear() {
        Arrays.fill(tensors, 0, size, null);
        size = 0;
    }

    /// Empties or marks them. It makes no objects, because memory may be what the walk failed for.
    void undo() {
        for (int i = 0; i < size; i++) {
            if (firstOf(i) == i) {
                undo(i);
            }
        }
        clear();
    }

    private void undo(int first) {
        Tensor t = tensors[first];
        synchronized (t.storage) {
            if (wereSet[first] || changedByOthers(first)) {
                t.gradientLost = t.gradientSet;
            } else {
                empty(t);
            }
        }
    }

    private static void empty(Tensor t) {
        Tensor gradient = t.gradient;
        t.emptyGradient();
        if (gradient != null && t.gradient == null) {
            gradient.storage.holders--;
            gradient.storage.freeIfUnused("backward", 0);
        }
    }

    private int firstOf(int entry) {
        int i = 0;
        while (tensors[i] != tensors[entry]) {
            i++;
        }
        return i;
    }

    /// Whether another thread has added to a leaf's gradient since.
    private boolean changedByOthers(int first) {
        int changes = 0;
        for (int i = first; i < size; i++) {
            changes += tensors[i] == tensors[first] ? 1 : 0;
        }
        Tensor t = tensors[first];
        return t.leaf && t.gradient.storage.version != versions[first] + changes;
    }
}
