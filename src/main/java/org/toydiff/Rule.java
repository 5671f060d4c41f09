package org.toydiff;

import java.lang.reflect.Field;
import org.toydiff.internal.random.DropoutMask;

/// The gradient of an op to its inputs, written in tensor algebra. Its type says which values it reads; the
/// engine keeps exactly those until the rule has run.
///
/// A [Single] rule computes from its arguments alone and captures no tensor: when a schedule is predicted its
/// arguments have shapes and no memory.
sealed interface Rule {
    /// The bit of the output among the values that a rule reads.
    int OUTPUT = 1 << 30;

    /// Returns the bit of an input among the values that a rule reads. The 30th input and all later ones share
    /// one: a rule of so many inputs reads all of them or none.
    static int input(int i) {
        return 1 << Math.min(i, 29);
    }

    /// Returns the values that the rule for input `own` reads, as bits.
    int reads(int own);

    /// A rule for one input. `own` is the input that the gradient belongs to, `other` the other operand of a binary
    /// op.
    non-sealed interface Single extends Rule {
        /// Returns the contribution of the gradient `g` of output `y` to the gradient of `inputs[own]`; along axes
        /// that broadcasting has stretched the engine sums it.
        Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y);
    }

    /// One rule for all inputs, whose gradients share most of their work. Unlike a single one it may hold
    /// tensors: those among the inputs. It reads every input, and not the output.
    non-sealed interface Joint extends Rule {
        /// Returns the contributions of the gradient `g` of output `y` to the gradients of the inputs: one for
        /// each that is `wanted`, of its shape, and null for the others.
        Tensor[] contributions(Tensor g, Tensor[] inputs, Tensor y, boolean[] wanted);

        @Override
        default int reads(int own) {
            return OUTPUT - 1;
        }
    }

    /// A [Joint] rule that reads the output too.
    interface JointOfOutput extends Joint {
        @Override
        default int reads(int own) {
            return OUTPUT - 1 | OUTPUT;
        }
    }

    /// A rule that the engine can fuse with its neighbour: a [WritesTo] with the addition to the gradient that it
    /// contributes to, or with the rule of an activation, which reads that gradient next.
    sealed interface Fusible extends Single permits WritesTo, Activation.Gradient {
        /// Returns the activation whose gradient this is. It reads `g` and the output element by element, so
        /// that whoever computes `g` can apply it in the same pass, over the output. Null for any other rule.
        Activation activation();
    }

    /// A rule that can put its contribution where the engine says, as a matrix product can.
    non-sealed interface WritesTo extends Fusible {
        /// As [Single#contribution(Tensor, Tensor[], int, Tensor)], putting the result into `to` where it fits.
        Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y, Destination to);

        @Override
        default Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y) {
            return contribution(g, inputs, own, y, Destination.NEW);
        }

        @Override
        default Activation activation() {
            return null;
        }
    }

    interface ReadsNothing extends Single {
        Tensor of(Tensor g);

        @Override
        default int reads(int own) {
            return 0;
        }

        @Override
        default Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y) {
            return of(g);
        }
    }

    interface ReadsShape extends Single {
        Tensor of(Tensor g, long[] shape);

        @Override
        default int reads(int own) {
            return 0;
        }

        @Override
        default Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y) {
            return of(g, inputs[own].shape);
        }
    }

    interface ReadsInput extends Single {
        Tensor of(Tensor g, Tensor x);

        @Override
        default int reads(int own) {
            return input(own);
        }

        @Override
        default Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y) {
            return of(g, inputs[own]);
        }
    }

    interface ReadsOther extends Single {
        Tensor of(Tensor g, Tensor other);

        @Override
        default int reads(int own) {
            return input(1 - own);
        }

        @Override
        default Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y) {
            return of(g, inputs[1 - own]);
        }
    }

    interface ReadsOtherAndShape extends Single {
        Tensor of(Tensor g, Tensor other, long[] shape);

        @Override
        default int reads(int own) {
            return input(1 - own);
        }

        @Override
        default Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y) {
            return of(g, inputs[1 - own], inputs[own].shape);
        }
    }

    interface ReadsInputs extends Single {
        Tensor of(Tensor g, Tensor own, Tensor other);

        @Override
        default int reads(int own) {
            return 0b11;
        }

        @Override
        default Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y) {
            return of(g, inputs[own], inputs[1 - own]);
        }
    }

    interface ReadsOutput extends Single {
        Tensor of(Tensor g, Tensor y);

        @Override
        default int reads(int own) {
            return OUTPUT;
        }

        @Override
        default Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y) {
            return of(g, y);
        }
    }

    interface ReadsInputAndOutput extends Single {
        Tensor of(Tensor g, Tensor x, Tensor y);

        @Override
        default int reads(int own) {
            return input(own) | OUTPUT;
        }

        @Override
        default Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y) {
            return of(g, inputs[own], y);
        }
    }

    interface ReadsAll extends Single {
        Tensor of(Tensor g, Tensor own, Tensor other, Tensor y);

        @Override
        default int reads(int own) {
            return 0b11 | OUTPUT;
        }

        @Override
        default Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y) {
            return of(g, inputs[own], inputs[1 - own], y);
        }
    }

    interface ReadsAllInputs extends Single {
        Tensor of(Tensor g, Tensor[] inputs);

        @Override
        default int reads(int own) {
            return OUTPUT - 1;
        }

        @Override
        default Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y) {
            return of(g, inputs);
        }
    }

    interface ReadsShapeAndWritesTo extends WritesTo {
        Tensor of(Tensor g, long[] shape, Destination to);

        @Override
        default int reads(int own) {
            return 0;
        }

        @Override
        default Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y, Destination to) {
            return of(g, inputs[own].shape, to);
        }
    }

    interface MultipliesOther extends WritesTo {
        Tensor of(Tensor g, Tensor other, Destination to);

        @Override
        default int reads(int own) {
            return input(1 - own);
        }

        @Override
        default Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y, Destination to) {
            return of(g, inputs[1 - own], to);
        }
    }

    // The verbs by which ops declare their rules. They return the lambda itself, so that recording allocates no rule.

    static Rule readsNothing(ReadsNothing rule) {
        return rule;
    }

    static Rule readsShape(ReadsShape rule) {
        return rule;
    }

    static Rule readsInput(ReadsInput rule) {
        return rule;
    }

    static Rule readsShapeAndWritesTo(ReadsShapeAndWritesTo rule) {
        return rule;
    }

    static Rule readsOther(ReadsOther rule) {
        return rule;
    }

    static Rule multipliesOther(MultipliesOther rule) {
        return rule;
    }

    static Rule readsOtherAndShape(ReadsOtherAndShape rule) {
        return rule;
    }

    static Rule readsInputs(ReadsInputs rule) {
        return rule;
    }

    static Rule readsOutput(ReadsOutput rule) {
        return rule;
    }

    static Rule readsInputAndOutput(ReadsInputAndOutput rule) {
        return rule;
    }

    static Rule readsAllInputs(ReadsAllInputs rule) {
        return rule;
    }

    static Rule jointReadingOutput(JointOfOutput rule) {
        return rule;
    }

    static Rule readsAll(ReadsAll rule) {
        return rule;
    }

    /// Whether a rule keeps no tensor alive: a lambda has a field for each variable that it captures.
    static boolean capturesNoTensor(Rule rule) {
        for (Field field : rule.getClass().getDeclaredFields()) {
            Class<?> type = field.getType();
            // A custom op holds no tensor either, which Custom checks.
            boolean plain = type.isPrimitive()
                    || type.isEnum()
                    || type == int[].class
                    || type == long[].class
                    || type == DropoutMask.class
                    || type == CustomOp.class;
            if (!plain) {
                return false;
            }
        }
        return true;
    }

    /// Where a [Rule.WritesTo] may put its contribution, so that nothing is copied or added afterwards: onto the
    /// gradient that it contributes to, or over the output of an activation. A contribution that was put there must
    /// be the rule's result.
    ///
    /// Made for one contribution of one rule: whatever that rule does, the next one starts with another.
    abstract static sealed class Destination {
        /// No place that exists already: the contribution is a new tensor.
        static final Destination NEW = new None();

        /// Returns the gradient to add a contribution of that dtype and shape to, or null.
        Tensor gradient(DType dtype, long rows, long columns) {
            return null;
        }

        /// Returns the gradient to add a contribution of that dtype and the gradient's shape to, or null.
        Tensor gradient(DType dtype) {
            return null;
        }

        /// Returns the factor of the elements in [#gradient]: 1, or 0 where its block holds no gradient yet.
        double beta() {
            return 1;
        }

        /// Returns a gradient in the block of the activation's output, for a contribution of that dtype and shape,
        /// or null. It still holds that output; the contribution is to go through the gradient of [#activation()]
        /// with it, element by
        /// element.
        Tensor over(DType dtype, long rows, long columns) {
            return null;
        }

        /// Returns the activation for [#over] and [#precedesActivation].
        Activation activation() {
            return null;
        }

        /// Whether a contribution of that dtype and shape is to be a new tensor, and the gradient of [#activation()]
        /// its next reader, so that it needs the bits that it would have [#over] the activation's output.
        boolean precedesActivation(DType dtype, long rows, long columns) {
            return false;
        }

        /// Whether `contribution` is part of the gradient already.
        boolean holds(Tensor contribution) {
            return false;
        }

        private static boolean fits(Tensor t, DType dtype, long rows, long columns) {
            return t.dtype == dtype && t.rank() == 2 && t.shape[0] == rows && t.shape[1] == columns;
        }

        private static final class None extends Destination {}

        /// Onto a gradient that waits for further contributions and may be changed in place.
        static final class Waiting extends Destination {
            private final GradientSums sums;
            private final int slot;
            private Tensor gradient;

            /// @param gradient the one that waits in the slot
            Waiting(GradientSums sums, int slot, Tensor gradient) {
                this.sums = sums;
                this.slot = slot;
                this.gradient = gradient;
            }

            @Override
            Tensor gradient(DType dtype, long rows, long columns) {
                return fits(gradient, dtype, rows, columns) ? gradient(dtype) : null;
            }

            @Override
            Tensor gradient(DType dtype) {
                if (gradient.dtype != dtype) {
                    return null;
                }
                gradient = sums.unshared(slot);
                return gradient;
            }

            @Override
            boolean holds(Tensor contribution) {
                return contribution == gradient;
            }
        }

        /// Onto the block of a leaf's gradient, under the leaf's lock.
        static final class Leaf extends Destination {
            private final GradientSums sums;
            private final Tensor leaf;

            Leaf(GradientSums sums, Tensor leaf) {
                this.sums = sums;
                this.leaf = leaf;
            }

            @Override
            Tensor gradient(DType dtype, long rows, long columns) {
                return fits(leaf, dtype, rows, columns) ? gradient(dtype) : null;
            }

            @Override
            Tensor gradient(DType dtype) {
                if (leaf.dtype != dtype) {
                    return null;
                }
                sums.changing(leaf);
                return leaf.gradient;
            }

            @Override
            double beta() {
                return leaf.gradientSet ? 1 : 0;
            }

            @Override
            boolean holds(Tensor contribution) {
                return contribution == leaf.gradient;
            }
        }

        /// A new tensor from which an activation's gradient is computed next, over whose output it would go if backward
        /// did not keep both.
        static final class BeforeActivation extends Destination {
            private final Node activation;
            private final Tensor output;

            BeforeActivation(Node activation, Tensor output) {
                this.activation = activation;
                this.output = output;
            }

            @Override
            boolean precedesActivation(DType dtype, long rows, long columns) {
                return fits(output, dtype, rows, columns);
            }

            @Override
            Activation activation() {
                return activation.activation();
            }
        }

        /// Over the output of an activation, with whose gradient the contribution is complete.
        static final class Output extends Destination {
            private final Backward walk;
            private final Node activation;
            private final Tensor output;

            Output(Backward walk, Node activation, Tensor output) {
                this.walk = walk;
                this.activation = activation;
                this.output = output;
            }

            @Override
            Tensor over(DType dtype, long rows, long columns) {
                return fits(output, dtype, rows, columns) ? walk.handOver(activation, output) : null;
            }

            @Override
            Activation activation() {
                return activation.activation();
            }
        }
    }
}
