package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/// Tests of which each has an arena of its own, outside which nothing stays behind.
public abstract class ArenaTest {
    /// The innermost arena when a test begins.
    protected TensorArena arena;

    /// The live bytes before that.
    protected long before;

    private final Supplier<TensorArena> opened;

    /// With confined arenas.
    protected ArenaTest() {
        this(TensorArena::ofConfined);
    }

    /// With arenas of one's own kind.
    protected ArenaTest(Supplier<TensorArena> opened) {
        this.opened = opened;
    }

    @BeforeEach
    void openArena() {
        before = Memory.liveBytes();
        arena = opened.get();
    }

    @AfterEach
    void closeArena() {
        arena.close();
        assertEquals(before, Memory.liveBytes(), "what is left behind, in bytes");
    }
}
