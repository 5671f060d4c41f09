package org.toydiff.io;

import com.google.gson.stream.JsonWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.toydiff.Tensor;
import org.toydiff.internal.files.AtomicFile;

/// Lays out a safetensors file as the reference implementation does, so that both write the same bytes.
final class SafeTensorsWriter {
    private static final int ALIGNMENT = 8;

    private final List<Map.Entry<String, Tensor>> tensors;
    private final Map<String, String> metadata;
    private final byte[] header;

    /// @param metadata the strings; the checksum replaces [Checksum#NONE] among them
    SafeTensorsWriter(Map<String, Tensor> tensors, Map<String, String> metadata) throws IOException {
        tensors.forEach(SafeTensorsWriter::require);
        metadata.forEach((key, value) -> {
            requireUnicode(key);
            requireUnicode(value);
        });
        Comparator<Map.Entry<String, Tensor>> byType = Comparator.comparing(
                entry -> SafeTensorsType.of(entry.getValue().dtype()));
        // Sorted by their bytes: the order of String differs beyond U+FFFF.
        Comparator<Map.Entry<String, Tensor>> byName = (a, b) -> Arrays.compareUnsigned(
                a.getKey().getBytes(StandardCharsets.UTF_8), b.getKey().getBytes(StandardCharsets.UTF_8));
        this.tensors = tensors.entrySet().stream()
                .sorted(byType.reversed().thenComparing(byName))
                .toList();
        this.metadata = metadata;
        this.header = header();
    }

    private static void require(String name, Tensor tensor) {
        if (name.equals(SafeTensorsHeader.METADATA)) {
            throw new IllegalArgumentException("save: \"" + name + "\" cannot be a tensor's name; rename it");
        }
        requireUnicode(name);
        Elements.requireReadable(tensor);
    }

    private static void requireUnicode(String text) {
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
            throw new IllegalArgumentException(
                    "save: \"" + text + "\" has an unpaired surrogate, which UTF-8 cannot encode; rename it");
        }
    }

    private byte[] header() throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var json = new JsonWriter(new OutputStreamWriter(bytes, StandardCharsets.UTF_8))) {
            json.beginObject();
            if (!metadata.isEmpty()) {
                writeMetadata(json);
            }
            writeTensors(json);
            json.endObject();
        }
        while (bytes.size() % ALIGNMENT != 0) {
            bytes.write(' ');
        }
        if (bytes.size() > SafeTensorsHeader.MAX_BYTES) {
            throw new IllegalArgumentException("save: names, shapes and metadata take " + bytes.size()
                    + " bytes, and the format allows " + SafeTensorsHeader.MAX_BYTES + "; shorten or split them");
        }
        return bytes.toByteArray();
    }

    private void writeMetadata(JsonWriter json) throws IOException {
        json.name(SafeTensorsHeader.METADATA).beginObject();
        for (var entry : new TreeMap<>(metadata).entrySet()) {
            json.name(entry.getKey()).value(entry.getValue());
        }
        json.endObject();
    }

    private void writeTensors(JsonWriter json) throws IOException {
        long end = 0;
        for (var entry : tensors) {
            Tensor tensor = entry.getValue();
            json.name(entry.getKey()).beginObject();
            json.name("dtype").value(SafeTensorsType.of(tensor.dtype()).name());
            json.name("shape").beginArray();
            for (long n : tensor.shape()) {
                json.value(n);
            }
            json.endArray();
            long begin = end;
            end += Elements.bytes(tensor);
            json.name("data_offsets").beginArray().value(begin).value(end).endArray();
            json.endObject();
        }
    }

    void write(Path file) throws IOException {
        AtomicFile.write(file, this::writeTo);
    }

    private void writeTo(FileChannel channel) throws IOException {
        ByteBuffer start = ByteBuffer.allocate(SafeTensorsHeader.START + header.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length)
                .put(header)
                .flip();
        Elements.writeFully(channel, start);
        if (Checksum.NONE.equals(metadata.get(Checksum.KEY))) {
            writeChecked(channel);
            return;
        }
        for (var entry : tensors) {
            Elements.write(entry.getValue(), piece -> Elements.writeFully(channel, piece));
        }
    }

    /// Writes the elements, and then the checksum into the header.
    private void writeChecked(FileChannel channel) throws IOException {
        Checksum checksum = new Checksum().addStrings(metadata);
        for (var entry : tensors) {
            Tensor tensor = entry.getValue();
            checksum.addTensor(
                    entry.getKey(), SafeTensorsType.of(tensor.dtype()).name(), tensor.shape());
            Elements.write(tensor, piece -> {
                checksum.addElements(piece.duplicate());
                Elements.writeFully(channel, piece);
            });
        }
        // JSON escapes quotes within strings, so this text occurs nowhere else.
        String entry = "\"" + Checksum.KEY + "\":\"";
        int at = new String(header, StandardCharsets.ISO_8859_1).indexOf(entry) + entry.length();
        ByteBuffer text = StandardCharsets.US_ASCII.encode(checksum.toString());
        while (text.hasRemaining()) {
            channel.write(text, (long) SafeTensorsHeader.START + at + text.position());
        }
    }
}
