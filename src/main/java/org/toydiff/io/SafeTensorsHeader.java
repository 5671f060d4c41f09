package org.toydiff.io;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;

/// The header of a safetensors file: a JSON object with dtype, shape and data_offsets of each tensor, and strings
/// under `__metadata__`. Source: https://github.com/huggingface/safetensors#format
final class SafeTensorsHeader {
    /// The offset of the object, which follows its length.
    static final int START = Long.BYTES;

    /// The reference implementation's limit, `MAX_HEADER_SIZE` in its tensor.rs.
    static final int MAX_BYTES = 100_000_000;

    static final String METADATA = "__metadata__";

    private final Path file;
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final Map<String, SafeTensorsEntry> tensors = new LinkedHashMap<>();

    private SafeTensorsHeader(Path file) {
        this.file = file;
    }

    /// Reads a header and checks all of it.
    ///
    /// @param text the bytes of the header
    /// @param dataBytes the number of bytes after it
    static SafeTensorsHeader read(Path file, ByteBuffer text, long dataBytes) throws IOException {
        var header = new SafeTensorsHeader(file);
        if (!text.hasRemaining() || text.get(0) != '{') {
            throw header.malformed("the header does not begin with {");
        }
        try (var json = new JsonReader(
                new InputStreamReader(new ByteBufferInputStream(text), StandardCharsets.UTF_8.newDecoder()))) {
            json.setStrictness(Strictness.STRICT);
            header.read(json);
        } catch (MalformedJsonException | EOFException | CharacterCodingException | IllegalStateException e) {
            String cause = String.valueOf(e.getMessage()).lines().findFirst().orElseThrow();
            throw MalformedFileException.at(file, START, "the header is not the expected JSON: " + cause, e);
        }
        header.requireCovered(dataBytes);
        return header;
    }

    /// Returns the tensors in the order of their data in the file.
    List<SafeTensorsEntry> tensors() {
        return inFileOrder(tensors.values());
    }

    Map<String, String> metadata() {
        return metadata;
    }

    private void read(JsonReader json) throws IOException {
        Set<String> names = new HashSet<>();
        json.beginObject();
        while (json.hasNext()) {
            String name = json.nextName();
            if (!names.add(name)) {
                throw malformed("the name \"" + name + "\" appears twice");
            }
            if (name.equals(METADATA)) {
                readMetadata(json);
            } else {
                tensors.put(name, tensor(name, json));
            }
        }
        json.endObject();
        // Throws if anything follows the object.
        json.peek();
    }

    private void readMetadata(JsonReader json) throws IOException {
        json.beginObject();
        while (json.hasNext()) {
            String key = json.nextName();
            if (metadata.put(key, string(METADATA, key, json)) != null) {
                throw malformed(METADATA + ": the key \"" + key + "\" appears twice");
            }
        }
        json.endObject();
    }

    private SafeTensorsEntry tensor(String name, JsonReader json) throws IOException {
        Set<String> fields = new LinkedHashSet<>();
        String dtype = null;
        long[] shape = null;
        long[] offsets = null;
        json.beginObject();
        while (json.hasNext()) {
            String field = json.nextName();
            if (!fields.add(field)) {
                throw malformed(name, field + " appears twice");
            }
            switch (field) {
                case "dtype" -> dtype = string(name, field, json);
                case "shape" -> shape = numbers(name, field, json);
                case "data_offsets" -> offsets = numbers(name, field, json);
                default -> json.skipValue();
            }
        }
        json.endObject();
        if (dtype == null || shape == null || offsets == null) {
            throw malformed(name, "it needs dtype, shape and data_offsets, and has only " + fields);
        }
        if (offsets.length != 2) {
            throw malformed(name, "data_offsets are " + offsets.length + " numbers; two are needed");
        }
        return new SafeTensorsEntry(name, dtype, shape, offsets[0], offsets[1]);
    }

    private String string(String owner, String field, JsonReader json) throws IOException {
        if (json.peek() != JsonToken.STRING) {
            throw malformed(owner, field + " is not a string");
        }
        return json.nextString();
    }

    private long[] numbers(String owner, String field, JsonReader json) throws IOException {
        var numbers = LongStream.builder();
        json.beginArray();
        while (json.hasNext()) {
            if (json.peek() != JsonToken.NUMBER) {
                throw malformed(owner, field + " holds " + json.peek() + "; it must hold numbers only");
            }
            String text = json.nextString();
            long number = wholeNumber(text);
            if (number < 0) {
                throw malformed(owner, field + " holds " + text + "; it must be an integer from 0 to 2^63 - 1");
            }
            numbers.add(number);
        }
        json.endArray();
        return numbers.build().toArray();
    }

    /// Returns the number, or −1 if it is not one or is too large.
    private static long wholeNumber(String text) {
        try {
            return text.startsWith("-") ? -1 : Long.parseLong(text);
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    private void requireCovered(long dataBytes) throws IOException {
        long next = 0;
        for (SafeTensorsEntry tensor : tensors()) {
            if (tensor.begin() != next) {
                throw malformed(
                        tensor.name(),
                        "data_offsets begin at " + tensor.begin() + ", and the data before ends at " + next
                                + ": tensors must neither overlap nor leave gaps");
            }
            String problem = tensor.problem();
            if (problem != null) {
                throw malformed(tensor.name(), problem);
            }
            next = tensor.end();
        }
        if (next != dataBytes) {
            throw malformed("the tensors take " + next + " bytes, and " + dataBytes + " follow the header");
        }
    }

    private static List<SafeTensorsEntry> inFileOrder(Collection<SafeTensorsEntry> tensors) {
        return tensors.stream()
                .sorted(Comparator.comparingLong(SafeTensorsEntry::begin).thenComparingLong(SafeTensorsEntry::end))
                .toList();
    }

    private IOException malformed(String tensor, String problem) {
        return malformed("\"" + tensor + "\": " + problem);
    }

    private IOException malformed(String problem) {
        return MalformedFileException.at(file, START, problem);
    }
}
