package org.toydiff;

/// A region of code that ends when this is closed, on the thread that began it; made for try-with-resources.
///
/// ```java
/// try (var inference = Autograd.noGradient()) { … }
/// ```
public interface Region extends AutoCloseable {
    /// Ends the region and restores what was in force before it.
    ///
    /// @throws IllegalStateException if a region or arena that was begun inside it is still open, or on
    ///     another thread
    @Override
    void close();
}
