package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/// Tests of which each has an arena of its own, outside which nothing stays behind.
public abstract class ArenaTest {
    /// The innermost arena when a test begins.
    protected TensorArena arena;

    private long before;

    /// With the arena to be opened before each test.
    protected ArenaTest() {}

    @BeforeEach
    void openArena() {
        before = Memory.liveBytes();
        arena = TensorArena.ofConfined();
    }

    @AfterEach
    void closeArena() {
        arena.close();
        assertEquals(before, Memory.liveBytes(), "what is left behind, in bytes");
    }
}
