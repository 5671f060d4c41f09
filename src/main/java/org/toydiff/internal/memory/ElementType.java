package org.toydiff.internal.memory;

/// The dtype of a storage as far as memory is concerned.
///
/// @param name its name in messages
/// @param bytes the size of an element in bytes
public record ElementType(String name, int bytes) {
    @Override
    public String toString() {
        return name;
    }
}
