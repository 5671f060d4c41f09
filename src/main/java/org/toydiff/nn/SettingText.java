package org.toydiff.nn;

import java.util.Arrays;
import java.util.function.Supplier;

/// The settings of a layer as its [Object#toString()] prints them: those without which it is not understood, and those
/// that differ from the usual ones.
final class SettingText {
    private final StringBuilder text;

    SettingText(Layer layer) {
        text = new StringBuilder(layer.className()).append('(');
    }

    SettingText add(String name, Object value) {
        text.append(text.charAt(text.length() - 1) == '(' ? "" : ", ")
                .append(name)
                .append('=')
                .append(value);
        return this;
    }

    /// Adds sizes along some axes, as one number where they are equal.
    SettingText add(String name, long... values) {
        boolean equal = Arrays.stream(values).allMatch(value -> value == values[0]);
        return add(name, equal ? values[0] : (Object) Arrays.toString(values));
    }

    /// Adds sizes that are not all the usual one.
    SettingText unless(long usual, String name, long... values) {
        return Arrays.stream(values).allMatch(value -> value == usual) ? this : add(name, values);
    }

    /// Adds sizes that are not those of another setting.
    SettingText unless(long[] usual, String name, long... values) {
        return Arrays.equals(values, usual) ? this : add(name, values);
    }

    /// Adds a setting if it is not the usual one.
    SettingText when(boolean unusual, String name, Supplier<?> value) {
        return unusual ? add(name, value.get()) : this;
    }

    @Override
    public String toString() {
        return text + ")";
    }
}
