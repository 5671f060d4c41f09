package org.toydiff.internal.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/// Each kind of memory: its elements, its bytes, its end, and the exceptions by which it refuses the rest.
class StorageTest {
    private static final ElementType FLOAT32 = new ElementType("float32", Float.BYTES);

    private static void requireRefusal(String message, Executable call) {
        assertEquals(message, assertThrows(IllegalStateException.class, call).getMessage());
    }

    /// Runs `test` with a confined account of the pool's memory.
    private static void inAccount(long limit, Consumer<Account> test) {
        Account account = Account.of(Arena.global(), Account.Kind.CONFINED, limit, UnsupportedOperationException::new);
        account.open();
        try {
            test.accept(account);
        } finally {
            account.close();
        }
    }

    private static void write(Storage storage, long index, float value) {
        storage.segment().setAtIndex(ValueLayout.JAVA_FLOAT, storage.base() + index, value);
    }

    private static float read(Storage storage, long index) {
        return storage.segment().getAtIndex(ValueLayout.JAVA_FLOAT, storage.base() + index);
    }

    // The pool's.

    @Test
    void aBlockCountsUntilItIsFreedAndIsNotReadAfterwards() {
        inAccount(Long.MAX_VALUE, account -> {
            Storage storage = account.make("ones", FLOAT32, new long[] {17}, true);
            assertFalse(storage.isAbstract() || storage.isForeign() || storage.isReadOnly());
            assertEquals(128, account.liveBytes());
            assertEquals(68, storage.elementBytes());
            MemorySegment exposed = storage.expose();
            assertEquals(68, exposed.byteSize());
            storage.free("exp", 3);
            assertEquals(0, account.liveBytes());
            assertEquals(128, account.peakBytes());
            requireRefusal(
                    "launch: the tensor [17] made by ones was freed at step 3 of backward(Release.EAGER), after exp;"
                            + " call retain() on it before backward, or use Release.AT_CLOSE",
                    storage::segment);
            assertThrows(IllegalStateException.class, () -> exposed.get(ValueLayout.JAVA_BYTE, 0));
        });
    }

    @Test
    void aBlockIsHandedOverWithItsElements() {
        inAccount(Long.MAX_VALUE, account -> {
            Storage storage = account.make("ones", FLOAT32, new long[] {17}, true);
            write(storage, 16, 5);
            Storage heir = storage.handOver("gradient", "exp", 3);
            assertEquals(5, read(heir, 16));
            assertTrue(heir.early && storage.isFreed());
            assertEquals(128, account.liveBytes());
            assertEquals(128, account.peakBytes());
            assertThrows(IllegalStateException.class, storage::segment);
        });
    }

    @Test
    void aBlockThatMovedOutlivesItsFirstArena() {
        inAccount(128, to -> {
            var moved = new ArrayList<Storage>();
            inAccount(Long.MAX_VALUE, from -> {
                Storage storage = from.make("ones", FLOAT32, new long[] {17}, false);
                write(storage, 16, 5);
                assertTrue(storage.movable());
                storage.move(to);
                assertEquals(0, from.liveBytes());
                assertEquals(128, to.liveBytes());
                moved.add(storage);
            });
            assertEquals(5, read(moved.getFirst(), 16));
            assertEquals(128, to.liveBytes());
        });
    }

    @Test
    void aBlockThatDoesNotFitStaysWhereItIs() {
        inAccount(
                Long.MAX_VALUE,
                from -> inAccount(128, to -> {
                    to.make("zeros", FLOAT32, new long[] {17}, false);
                    Storage storage = from.make("ones", FLOAT32, new long[] {1}, false);
                    write(storage, 0, 5);
                    var failure = assertThrows(UnsupportedOperationException.class, () -> storage.move(to));
                    assertEquals(
                            "ones: 64 B for [1] float32 would pass the limit of its arena, 128 B; live 128 B;"
                                    + " largest: zeros [17] float32 128 B",
                            failure.getMessage());
                    assertEquals(64, from.liveBytes());
                    assertEquals(5, read(storage, 0));
                }));
    }

    @Test
    void aBlockWhoseSegmentWouldOutliveTheMoveIsNotMovable() {
        inAccount(Long.MAX_VALUE, account -> {
            Storage storage = account.make("ones", FLOAT32, new long[] {17}, false);
            storage.expose();
            assertFalse(storage.movable());
            Storage early = account.make("ones", FLOAT32, new long[] {17}, true);
            early.expose();
            assertTrue(early.movable(), "the segment ends before the arena");
        });
    }

    // The caller's.

    @Test
    void theCallersMemoryIsNeitherFreedNorHandedOverNorMoved() {
        try (var arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(12, 4);
            Storage storage = ForeignStorage.of(segment, "wrap", FLOAT32, new long[] {3});
            assertTrue(storage.isForeign());
            assertFalse(storage.isAbstract() || storage.movable() || storage.releasable());
            assertEquals(0, storage.bytes());
            assertEquals(0, storage.base());
            assertSame(segment, storage.expose());
            String memory = "wrap: the memory of the tensor [3] is the caller's and cannot be ";
            requireRefusal(memory + "freed", () -> storage.free("exp", 1));
            requireRefusal(memory + "handed over", () -> storage.handOver("gradient", "exp", 1));
            inAccount(64, account -> {
                requireRefusal(memory + "moved", () -> storage.move(account));
                storage.moveCount(account);
                assertEquals(0, account.liveBytes());
            });
            assertFalse(storage.isFreed());
            write(storage, 2, 1);
            assertEquals(1, read(storage, 2));
        }
    }

    @Test
    void theCallersMemoryLivesAsLongAsItsSegment() {
        Storage storage;
        try (var arena = Arena.ofConfined()) {
            storage = ForeignStorage.of(arena.allocate(12, 4).asReadOnly(), "wrap", FLOAT32, new long[] {3});
            assertTrue(storage.isReadOnly() && storage.segment().isReadOnly() && storage.alive());
        }
        assertFalse(storage.alive());
        requireRefusal(
                "launch: the arena of the tensor [3] is closed; copyTo(arena) or moveTo(arena) lets it outlive its"
                        + " arena",
                storage::segment);
    }

    @Test
    void memoryThatOthersCanTakeAwayIsCheckedBeforeEachOp() {
        var gone = new AtomicLong();
        MemorySegment segment = Arena.ofAuto().allocate(12, 4);
        Storage storage = ForeignStorage.of(segment, "tensor", FLOAT32, new long[] {3}, op -> {
            if (gone.get() > 0) {
                throw new IllegalStateException(op + ": gone");
            }
        });
        storage.requireReadable("exp", storage.shape);
        gone.set(1);
        requireRefusal("exp: gone", () -> storage.requireReadable("exp", storage.shape));
        requireRefusal("item: gone", () -> storage.requireElements("item", storage.shape));
    }

    // None.

    private static String noElements(String op) {
        return op + ": the tensor [17] is abstract: in a dry run, or when a release schedule is predicted, tensors have"
                + " shapes and no elements, so no result may depend on one";
    }

    @Test
    void anAbstractStorageIsCountedAndHasNoMemory() {
        var total = new AtomicLong();
        Account account = Account.ofAbstract(Arena.global(), Account.Kind.CONFINED, total::addAndGet);
        Account other = Account.ofAbstract(Arena.global(), Account.Kind.CONFINED, total::addAndGet);
        Storage storage = account.make("ones", FLOAT32, new long[] {17}, true);
        assertTrue(storage.isAbstract());
        assertFalse(storage.isForeign() || storage.isReadOnly() || storage.movable());
        assertEquals(128, total.get());
        storage.requireReadable("exp", storage.shape);
        requireRefusal(noElements("launch"), storage::segment);
        requireRefusal(noElements("ones"), storage::expose);
        requireRefusal(noElements("item"), () -> storage.requireElements("item", storage.shape));
        requireRefusal(noElements("moveTo"), () -> storage.move(other));
        storage.moveCount(other);
        assertEquals(0, account.liveBytes());
        assertEquals(128, other.liveBytes());
        Storage heir = storage.handOver("gradient", "exp", 2);
        assertTrue(heir.isAbstract() && storage.isFreed());
        assertEquals(128, other.peakBytes());
        heir.free("exp", 3);
        assertEquals(0, other.liveBytes());
        assertEquals(0, total.get());
    }

    @Test
    void anAbstractStorageStaysWhereItIsWhenItMovesToMemory() {
        Account account = Account.ofAbstract(Arena.global(), Account.Kind.CONFINED, null);
        Storage storage = account.make("ones", FLOAT32, new long[] {17}, true);
        inAccount(64, real -> {
            storage.moveCount(real);
            assertEquals(0, real.liveBytes());
        });
        assertEquals(128, account.liveBytes());
        assertTrue(storage.pinned);
    }

    @Test
    void anAbstractCopyBeginsWhereTheRealStorageDoes() {
        inAccount(Long.MAX_VALUE, account -> {
            account.make("ones", FLOAT32, new long[] {17}, false);
            Storage real = account.make("ones", FLOAT32, new long[] {17}, true);
            real.holders = 2;
            real.kept = 1;
            real.disposable = true;
            real.pinned = true;
            Account copies = Account.ofAbstract(Arena.global(), account, null);
            Storage copy = AbstractStorage.of(copies, real);
            assertEquals(256, copies.liveBytes(), "it goes on from the real account");
            assertEquals(real.base(), copy.base());
            assertEquals(real.bytes(), copy.bytes());
            assertEquals(2, copy.holders);
            assertEquals(1, copy.kept);
            assertTrue(copy.early && copy.disposable && copy.pinned);
        });
    }

    @Test
    void anAbstractStorageEndsWithItsArena() {
        Account account = Account.ofAbstract(Arena.global(), Account.Kind.CONFINED, null);
        Storage storage = account.make("ones", FLOAT32, new long[] {17}, true);
        account.free();
        assertEquals(0, account.liveBytes());
        assertFalse(storage.alive() || storage.releasable());
        assertThrows(IllegalStateException.class, () -> storage.requireReadable("exp", storage.shape));
    }
}
