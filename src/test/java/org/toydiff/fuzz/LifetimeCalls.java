package org.toydiff.fuzz;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import org.toydiff.DType;
import org.toydiff.Memory;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Calls about where tensors live and how they are read and written: arenas opened, closed and entered, elements
/// copied in and out, memory moved and used too late.
final class LifetimeCalls {
    private LifetimeCalls() {}

    static List<Row> rows() {
        return List.of(
                new Row("ofConfined", 10, LifetimeCalls::open),
                new Row("close", 12, LifetimeCalls::close),
                Row.of("enter", LifetimeCalls::enter),
                Row.of("allocate", LifetimeCalls::allocate),
                new Row("wrap", 6, LifetimeCalls::wrap),
                Row.of("copyTo", LifetimeCalls::copyTo),
                new Row("moveTo", 8, LifetimeCalls::moveTo),
                new Row("copyFrom", 10, LifetimeCalls::copyFrom),
                Row.of("toString", LifetimeCalls::text),
                Row.of("toFloatArray", LifetimeCalls::arrays),
                Row.of("toDoubleArray", LifetimeCalls::arrays),
                Row.of("toLongArray", LifetimeCalls::arrays),
                Row.of("item", LifetimeCalls::item),
                Row.of("at", LifetimeCalls::at),
                Row.of("segment", LifetimeCalls::segment),
                new Row("report", 1, (m, c) -> new Attempt(m, c, "Memory.report()").runs(Memory::report)),
                new Row("isContiguous", 1, LifetimeCalls::properties),
                new Row("size", 1, LifetimeCalls::huge),
                new Row("add", 1, LifetimeCalls::elsewhere));
    }

    private static void open(Machine m, Choice c) {
        if (!m.mayOpen()) {
            return;
        }
        if (c.oneIn(5)) {
            boolean shared = c.oneIn(3);
            m.openForeign(shared ? Arena.ofShared() : Arena.ofConfined(), shared ? "ofShared()" : "ofConfined()");
            return;
        }
        boolean limited = c.oneIn(6);
        long limit = limited ? 64L * (1 + c.below(64)) : Long.MAX_VALUE;
        boolean shared = c.oneIn(8);
        String how = (shared ? "ofShared(" : "ofConfined(") + (limited ? limit : "") + ")";
        m.open(shared ? TensorArena.ofShared(limit) : TensorArena.ofConfined(limit), how, limited);
    }

    private static void close(Machine m, Choice c) {
        Held.Home given = c.oneIn(4) ? m.foreignHome(c) : null;
        if (given != null) {
            m.closeForeign(given);
            m.verify();
            return;
        }
        Held.Home home = m.home(c);
        if (c.oneIn(4) && home != m.innermost() && home.open) {
            new Attempt(m, c, home.name + ".close()").mustFail(() -> true).runs(home.arena::close);
            return;
        }
        if (!m.mayClose()) {
            return;
        }
        m.count();
        m.end();
        m.verify();
    }

    private static void enter(Machine m, Choice c) {
        Held.Home home = m.home(c);
        if (home.open && m.mayOpen()) {
            m.enter(home);
        } else if (!home.open) {
            new Attempt(m, c, home.name + ".enter()").mustFail(() -> true).runs(((TensorArena) home.arena)::enter);
        }
    }

    private static void allocate(Machine m, Choice c) {
        Held.Home home = m.home(c);
        long bytes = c.below(200);
        long alignment = 1L << c.below(9);
        new Attempt(m, c, home.name + ".allocate(" + bytes + ", " + alignment + ")")
                .mustFail(() -> !home.open)
                .runs(() -> {
                    MemorySegment segment = home.arena.allocate(bytes, alignment);
                    if (segment.byteSize() != bytes
                            || segment.address() % alignment != 0
                            || segment.mismatch(MemorySegment.ofArray(new byte[(int) bytes])) != -1) {
                        throw new Finding("allocate gives " + segment);
                    }
                });
    }

    private static void wrap(Machine m, Choice c) {
        Held.Home home = m.foreignHome(c);
        if (home == null) {
            home = m.openForeign(Arena.ofConfined(), "ofConfined()");
        }
        Held.Home owner = home;
        DType dtype = c.dtype();
        long[] shape = c.shape();
        long bytes = Dense.size(shape) * dtype.bytes();
        boolean small = bytes > 0 && c.oneIn(15);
        MemorySegment segment = owner.arena.allocate(small ? bytes - 1 : bytes, 8);
        new Attempt(
                        m,
                        c,
                        "Tensor.wrap(" + owner.name + ".allocate(" + segment.byteSize() + ", 8), " + dtype.name() + ", "
                                + GraphMaker.list(shape) + ")")
                .expects(() -> {
                    Dense.require(!small);
                    return new Dense(shape, new double[(int) Dense.size(shape)]);
                })
                .wraps(owner, () -> Tensor.wrap(segment, dtype, shape));
    }

    private static void copyTo(Machine m, Choice c) {
        Held x = m.any(c);
        Held.Home home = c.oneIn(3) && m.foreignHome(c) != null ? m.foreignHome(c) : m.home(c);
        if (x != null) {
            new Attempt(m, c, x + ".copyTo(" + home.name + ")")
                    .reads(x)
                    .expects(() -> x.known)
                    .mustFail(() -> !home.open)
                    .gives(home, () -> x.tensor.copyTo(home.arena));
        }
    }

    private static void moveTo(Machine m, Choice c) {
        Held x = m.any(c);
        Held.Home home = m.home(c);
        // A gradient of an intermediate moves with it, and who else sees that is not followed here.
        if ((x.tensor.tracksGradient() && !x.isLeaf() && x.tensor.hasGradient())) {
            return;
        }
        // A gradient whose arena is closed stays behind.
        boolean gradientMoves = x.gradient != null && x.gradient.home.open;
        Attempt attempt = new Attempt(m, c, x + ".moveTo(" + home.name + ")")
                .reads(x)
                .expects(() -> x.known)
                .mustFail(() -> !home.open || x.block.home.isForeign());
        Held moved = attempt.gives(home, () -> x.tensor.moveTo((TensorArena) home.arena));
        if (moved == x && x.block.home != home) {
            x.block.home = home;
            if (gradientMoves) {
                x.gradient.home = home;
            }
        }
    }

    private static void copyFrom(Machine m, Choice c) {
        Held target = m.any(c);
        if (!target.followed) {
            return;
        }
        Held source = m.partner(c, target);
        boolean copied = new Attempt(m, c, target + ".copyFrom(" + source + ")")
                .reads(target, source)
                .expects(() -> {
                    Dense.require(target.dtype() == source.dtype());
                    // Where two elements are one, the last to be written would win.
                    Dense.require(!target.cells.repeats());
                    return Reference.broadcastTo(source.known, target.shape());
                })
                .runs(() -> target.tensor.copyFrom(source.tensor));
        if (!copied) {
            return;
        }
        Dense written = Reference.broadcastTo(source.known, target.shape());
        for (Held held : m.variables()) {
            if (held.block == target.block) {
                held.known = overwritten(held, target, written);
            }
        }
        m.verify();
    }

    private static Dense overwritten(Held held, Held target, Dense written) {
        double[] values = held.known.values().clone();
        for (int i = 0; i < values.length; i++) {
            for (int j = 0; j < written.size(); j++) {
                values[i] = held.cells.values()[i] == target.cells.values()[j] ? written.values()[j] : values[i];
            }
        }
        return new Dense(held.shape(), values);
    }

    // Read.

    private static void text(Machine m, Choice c) {
        Held x = m.any(c);
        // What has lost its memory prints as that.
        new Attempt(m, c, x + ".toString()").runs(() -> {
            String text = x.tensor.toString();
            if (text.contains("freed") == x.isUsable()) {
                throw new Finding(x + " prints as " + text);
            }
        });
    }

    private static void arrays(Machine m, Choice c) {
        Held x = m.any(c);
        switch (c.below(3)) {
            case 0 ->
                new Attempt(m, c, x + ".toFloatArray()").reads(x).runs(() -> {
                    float[] values = x.tensor.toFloatArray();
                    for (int i = 0; i < values.length; i++) {
                        if (Float.compare(values[i], (float) x.known.values()[i]) != 0) {
                            throw new Finding("toFloatArray gives " + Arrays.toString(values));
                        }
                    }
                });
            case 1 ->
                new Attempt(m, c, x + ".toLongArray()")
                        .reads(x)
                        .expects(() -> {
                            Dense.require(!x.isFloating());
                            return x.known;
                        })
                        .runs(() -> {
                            long[] values = x.tensor.toLongArray();
                            for (int i = 0; i < values.length; i++) {
                                if ((double) values[i] != x.known.values()[i]) {
                                    throw new Finding("toLongArray gives " + Arrays.toString(values));
                                }
                            }
                        });
            default -> new Attempt(m, c, x + ".toDoubleArray()").reads(x).runs(x.tensor::toDoubleArray);
        }
        m.verify();
    }

    private static void item(Machine m, Choice c) {
        Held x = m.any(c);
        if (x != null) {
            new Attempt(m, c, x + ".item()")
                    .reads(x)
                    .mustFail(() -> x.size() != 1)
                    .runs(() -> {
                        if (Double.compare(x.tensor.item(), x.known.values()[0]) != 0) {
                            throw new Finding("item gives " + x.tensor.item());
                        }
                    });
        }
    }

    private static void at(Machine m, Choice c) {
        Held x = m.any(c);
        long[] index = new long[c.oneIn(20) ? c.below(4) : x.rank()];
        Arrays.setAll(
                index,
                i -> i < x.rank() && x.shape()[i] > 0 && !c.oneIn(20) ? c.below((int) x.shape()[i]) : c.below(4));
        new Attempt(m, c, x + ".at(" + GraphMaker.list(index) + ")")
                .reads(x)
                .expects(() -> {
                    Dense.require(index.length == x.rank());
                    for (int i = 0; i < index.length; i++) {
                        Dense.require(index[i] < x.shape()[i]);
                    }
                    return null;
                })
                .runs(() -> {
                    if (Double.compare(x.tensor.at(index), x.known.at(index)) != 0) {
                        throw new Finding("at gives " + x.tensor.at(index));
                    }
                });
    }

    private static void segment(Machine m, Choice c) {
        Held x = m.any(c);
        if (x != null) {
            new Attempt(m, c, x + ".segment()").reads(x).runs(() -> {
                MemorySegment segment = x.tensor.segment();
                long least = (x.tensor.isContiguous() ? x.size() : Math.min(1, x.size()))
                        * (long) x.dtype().bytes();
                if (segment.byteSize() < least) {
                    throw new Finding("segment has " + segment.byteSize() + " bytes");
                }
            });
        }
    }

    private static void properties(Machine m, Choice c) {
        Held x = m.any(c);
        if (x != null) {
            new Attempt(m, c, x + ".isContiguous()").runs(() -> {
                x.tensor.isContiguous();
                boolean right = x.tensor.size() == x.size() && x.tensor.rank() == x.rank();
                if (!right || !Arrays.equals(x.tensor.shape(), x.shape())) {
                    throw new Finding(x + " has changed its shape");
                }
            });
        }
    }

    // Strange sizes and threads.

    /// What is done to a tensor with a huge axis.
    private record Walk(String text, Consumer<Tensor> call) {}

    /// What ends at once where there is no element.
    private static final List<Walk> OF_NOTHING = List.of(
            new Walk(".toString()", Tensor::toString),
            new Walk(".toDoubleArray()", Tensor::toDoubleArray),
            new Walk(".sum()", Tensor::sum),
            new Walk(".exp()", Tensor::exp),
            new Walk(".add(1)", x -> x.add(1)),
            new Walk(".max(1)", x -> x.max(1)),
            new Walk(".transpose().toString()", x -> x.transpose().toString()),
            new Walk(".get(5).toFloatArray()", x -> x.get(5).toFloatArray()),
            new Walk(".topk(0, 1)", x -> x.topk(0, 1)),
            new Walk(".gather(1, zeros(INT64, 3, 0))", x -> x.gather(1, Tensor.zeros(DType.INT64, 3, 0))),
            new Walk(".indexSelect(0, {2})", x -> x.indexSelect(0, Tensor.of(2).cast(DType.INT64))),
            new Walk(".copyTo(TensorArena.innermost())", x -> x.copyTo(TensorArena.innermost())),
            new Walk(".slice(0, 0, 2).matmul(ones(0, 3))", x -> x.slice(0, 0, 2).matmul(Tensor.ones(0, 3))));

    /// What looks at a few of the places in which one element is seen.
    private static final List<Walk> OF_ONE = List.of(
            new Walk(".slice(0, 1, 3).toDoubleArray()", x -> x.slice(0, 1, 3).toDoubleArray()),
            new Walk(".get(5).toFloatArray()", x -> x.get(5).toFloatArray()),
            new Walk(".slice(0, 0, 7).reshape(-1)", x -> x.slice(0, 0, 7).reshape(-1)),
            new Walk(".slice(0, 0, 7).sum(0)", x -> x.slice(0, 0, 7).sum(0)),
            new Walk(
                    ".transpose().slice(1, 0, 2).exp()",
                    x -> x.transpose().slice(1, 0, 2).exp()),
            new Walk(".indexSelect(0, {2})", x -> x.indexSelect(0, Tensor.of(2).cast(DType.INT64))));

    /// Axes so long that whoever walks along them never ends.
    private static void huge(Machine m, Choice c) {
        long length = c.of(1L << 33, 1L << 40, (1L << 31) - 1, 1L << 60);
        boolean none = c.coin();
        Walk walk = c.of(none ? OF_NOTHING : OF_ONE);
        String text = none ? "Tensor.zeros(" + length + ", 0)" : "Tensor.ones(1, 1).broadcastTo(" + length + ", 1)";
        new Attempt(m, c, text + walk.text)
                .mayRefuse()
                .runs(() -> walk.call.accept(
                        none ? Tensor.zeros(length, 0) : Tensor.ones(1, 1).broadcastTo(length, 1)));
        m.verify();
    }

    /// On another thread a confined tensor is refused and a shared one is not.
    private static void elsewhere(Machine m, Choice c) {
        Held x = m.floating(c);
        if (!x.isUsable() || x.block.home.isForeign() || !x.isFloating()) {
            return;
        }
        m.say("on another thread: " + x + ".abs();");
        m.count();
        boolean shared = x.block.home.shared;
        try {
            CompletableFuture.runAsync(() -> {
                        try (var own = TensorArena.ofConfined()) {
                            x.tensor.abs();
                        }
                    })
                    .join();
            if (!shared) {
                throw new Finding("a confined tensor is used by another thread");
            }
        } catch (CompletionException thrown) {
            if (shared || !(thrown.getCause() instanceof WrongThreadException)) {
                throw new Finding("on another thread " + x + ".abs() throws " + thrown.getCause(), thrown.getCause());
            }
        }
        m.verify();
    }
}
