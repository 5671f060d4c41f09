package org.toydiff.child;

import java.lang.foreign.Arena;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.toydiff.DType;
import org.toydiff.MappedFile;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.data.IdxDataset;
import org.toydiff.data.TensorDataset;
import org.toydiff.io.Npy;
import org.toydiff.io.SafeTensors;

/// Maps files, shortens them, and prints the exception that each use of them throws.
public final class ShortenedFiles {
    private static final int N = 1 << 9;

    private ShortenedFiles() {}

    /// Prints a line for each use before, and one after the files are shortened.
    ///
    /// @param arguments the folder of the files
    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        Path npy = folder.resolve("x.npy");
        Path tensors = folder.resolve("x.safetensors");
        Path images = folder.resolve("x.idx");
        Path labels = folder.resolve("y.idx");
        try (var arena = TensorArena.ofShared()) {
            Tensor ones = Tensor.ones(N, N);
            Npy.save(npy, ones);
            SafeTensors.save(tensors, Map.of("x", ones));
            byte[] idx = new byte[8 + N * N];
            idx[2] = 8;
            idx[3] = 1;
            idx[5] = N * N >> 16;
            Files.write(images, idx);
            Files.write(labels, idx);
            Map<String, Supplier<?>> uses = new LinkedHashMap<>();
            Tensor mapped = Npy.load(arena, npy);
            Tensor raw = MappedFile.open(Arena.ofAuto(), npy).tensor(128, DType.FLOAT32, N, N);
            var saved = SafeTensors.open(tensors);
            Tensor view = saved.get("x").slice(0, 2, N).transpose();
            var rows = new TensorDataset(mapped, ones);
            IdxDataset set = IdxDataset.open(images, labels);
            uses.put("matmul", () -> ones.matmul(mapped));
            uses.put("exp", () -> mapped.exp());
            uses.put("view", () -> view.matmul(view.transpose()));
            uses.put("raw", () -> raw.sum());
            uses.put("read", () -> mapped.toFloatArray());
            uses.put("print", () -> mapped.toString());
            uses.put("rows", () -> rows.batch(N - 1));
            uses.put("idx", () -> set.batch(N * N - 1));
            uses.put("save", () -> save(folder.resolve("y.npy"), mapped));
            uses.forEach(ShortenedFiles::print);
            for (Path file : new Path[] {npy, tensors, images, labels}) {
                try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                    channel.truncate(1000);
                }
            }
            Thread.currentThread().interrupt();
            uses.forEach(ShortenedFiles::print);
            saved.close();
        }
    }

    private static Object save(Path file, Tensor tensor) {
        try {
            Npy.save(file, tensor);
            return file;
        } catch (java.io.IOException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static void print(String name, Supplier<?> use) {
        try (var arena = TensorArena.ofConfined()) {
            use.get();
            System.out.println(name + ": fine");
        } catch (IllegalStateException e) {
            System.out.println(name + ": " + e.getMessage());
        }
    }
}
