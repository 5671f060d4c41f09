package org.toydiff;

import java.lang.reflect.Field;

/// The gradient of an op to one of its inputs, written in tensor algebra. Its type says what it reads; the
/// engine keeps exactly that until the rule has run.
///
/// A rule sees what it is given and captures no tensor: when the schedule is predicted it is given shapes
/// without memory. `own` is the input that the gradient belongs to, `other` the other operand of a binary
/// op.
interface Rule {
    /// The bit of the output among what a rule reads; input i has bit i.
    int OUTPUT = 1 << 30;

    /// The values that the rule for input `own` reads, as bits.
    int reads(int own);

    /// What the gradient `g` of output `y` contributes to the gradient of `inputs[own]`; any shape that
    /// broadcast made larger is summed back by the engine.
    Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y);

    interface ReadsNothing extends Rule {
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

    interface ReadsShape extends Rule {
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

    interface ReadsInput extends Rule {
        Tensor of(Tensor g, Tensor x);

        @Override
        default int reads(int own) {
            return 1 << own;
        }

        @Override
        default Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y) {
            return of(g, inputs[own]);
        }
    }

    interface ReadsOther extends Rule {
        Tensor of(Tensor g, Tensor other);

        @Override
        default int reads(int own) {
            return 1 << (1 - own);
        }

        @Override
        default Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y) {
            return of(g, inputs[1 - own]);
        }
    }

    interface ReadsOtherAndShape extends Rule {
        Tensor of(Tensor g, Tensor other, long[] shape);

        @Override
        default int reads(int own) {
            return 1 << (1 - own);
        }

        @Override
        default Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y) {
            return of(g, inputs[1 - own], inputs[own].shape);
        }
    }

    interface ReadsInputs extends Rule {
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

    interface ReadsOutput extends Rule {
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

    interface ReadsInputAndOutput extends Rule {
        Tensor of(Tensor g, Tensor x, Tensor y);

        @Override
        default int reads(int own) {
            return 1 << own | OUTPUT;
        }

        @Override
        default Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y) {
            return of(g, inputs[own], y);
        }
    }

    interface ReadsAll extends Rule {
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

    interface ReadsAllInputs extends Rule {
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

    /// A rule whose last step is a matrix product, which it may put where the engine says.
    interface EndsInProduct extends Rule {
        /// As [Rule#contribution], the product being put into `to` where it fits.
        Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y, Destination to);

        @Override
        default Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y) {
            throw new AssertionError("a product is given its destination");
        }
    }

    interface MultipliesOther extends EndsInProduct {
        Tensor of(Tensor g, Tensor other, Destination to);

        @Override
        default int reads(int own) {
            return 1 << (1 - own);
        }

        @Override
        default Tensor contribution(Tensor g, Tensor[] inputs, int own, Tensor y, Destination to) {
            return of(g, inputs[1 - own], to);
        }
    }

    // The verbs that rows declare rules with. They return the lambda itself, so that a row allocates nothing
    // for its rule.

    static Rule readsNothing(ReadsNothing rule) {
        return rule;
    }

    static Rule readsShape(ReadsShape rule) {
        return rule;
    }

    static Rule readsInput(ReadsInput rule) {
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

    static Rule readsAll(ReadsAll rule) {
        return rule;
    }

    /// Whether a rule holds on to nothing that has memory: what a lambda captures, it keeps in fields.
    static boolean capturesNoTensor(Rule rule) {
        for (Field field : rule.getClass().getDeclaredFields()) {
            Class<?> type = field.getType();
            // An op of the user's holds none either: Custom sees to that.
            boolean plain = type.isPrimitive()
                    || type.isEnum()
                    || type == int[].class
                    || type == long[].class
                    || type == CustomOp.class;
            if (!plain) {
                return false;
            }
        }
        return true;
    }
}
