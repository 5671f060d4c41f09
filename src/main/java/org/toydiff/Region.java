package org.toydiff;

/// A region of code that ends when this is closed, on the thread that began it; made for try-with-resources.
///
/// ```java
/// try (var inference = Autograd.noGradient()) { … }
/// ```
public interface Region extends AutoCloseable {
    /// Ends the region and restores the state before it. Closing it again does nothing.
    ///
    /// @throws IllegalStateException if a region or arena that was begun inside it is still open, or on
    ///     another thread; it stays open then, and can be closed once that is put right
    @Override
    void close();
}
