package org.toydiff.fuzz;

/// A kind of call.
///
/// @param op the public method that it is about
/// @param weight how often it is drawn, relative to others
/// @param call makes one
record Row(String op, int weight, Call call) {
    /// Makes a call with whatever the choices say.
    interface Call {
        void make(Machine m, Choice c);
    }

    static Row of(String op, Call call) {
        return new Row(op, 4, call);
    }
}
