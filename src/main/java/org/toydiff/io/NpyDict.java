package org.toydiff.io;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Parses the text of a `.npy` header: a Python dict with `descr`, `fortran_order` and `shape`.
final class NpyDict {
    /// The type that NumPy writes for the bfloat16 of the package `ml_dtypes`, which it does not know: two bytes, in an
    /// order that other data of two bytes (`|V2`) has not.
    static final String BFLOAT16 = "<V2";

    /// A byte order, `=` for that of the reading machine and `|` where there is none, and NumPy's code of a type.
    private static final Pattern DESCR = Pattern.compile("['\"](?:[<>=|]?([a-z]\\d)|" + BFLOAT16 + ")['\"]");

    private static final Map<String, StoredType> TYPES = Map.ofEntries(
            Map.entry("b1", StoredType.BOOL),
            Map.entry("u1", StoredType.UINT8),
            Map.entry("u2", StoredType.UINT16),
            Map.entry("u4", StoredType.UINT32),
            Map.entry("u8", StoredType.UINT64),
            Map.entry("i1", StoredType.INT8),
            Map.entry("i2", StoredType.INT16),
            Map.entry("i4", StoredType.INT32),
            Map.entry("i8", StoredType.INT64),
            Map.entry("f2", StoredType.FLOAT16),
            Map.entry("f4", StoredType.FLOAT32),
            Map.entry("f8", StoredType.FLOAT64));

    private static final Set<String> KEYS = new TreeSet<>(List.of("descr", "fortran_order", "shape"));

    /// A key or a value as written, with its position.
    private record Value(String text, int at) {}

    private final Object place;
    private final int start;
    private final String text;
    private int at;

    /// @param start the offset of the text in the file, in bytes
    NpyDict(Object place, int start, String text) {
        this.place = place;
        this.start = start;
        this.text = text;
    }

    /// Parses the text.
    ///
    /// @param bytes the number of bytes before the elements
    NpyHeader header(int bytes) throws IOException {
        Map<String, Value> values = values();
        if (!values.keySet().equals(KEYS)) {
            throw malformed(0, "the header has the keys " + values.keySet() + " and needs " + KEYS);
        }
        StoredType type = type(values.get("descr"));
        boolean bigEndian = values.get("descr").text.charAt(1) == '>';
        boolean fortran = fortran(values.get("fortran_order"));
        long[] shape = shape(values.get("shape"), type);
        return new NpyHeader(type, bigEndian, fortran, shape, bytes);
    }

    private Map<String, Value> values() throws IOException {
        Map<String, Value> values = new TreeMap<>();
        expect('{');
        while (next() != '}') {
            Value key = value(':');
            expect(':');
            if (values.put(unquoted(key), value(',')) != null) {
                throw malformed(key.at, "the key " + key.text + " appears twice");
            }
            if (next() != '}') {
                expect(',');
            }
        }
        expect('}');
        if (next() != 0) {
            throw malformed(at, "text follows the dict");
        }
        return values;
    }

    /// Skips white space and returns the next character, or 0 at the end.
    private char next() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
        return at < text.length() ? text.charAt(at) : 0;
    }

    private void expect(char c) throws IOException {
        if (next() != c) {
            throw malformed(at, "a " + c + " is missing here");
        }
        at++;
    }

    /// Reads the text up to `end`, or to the brace that closes the dict, outside quotes and brackets.
    private Value value(char end) {
        next();
        int from = at;
        int depth = 0;
        char quote = 0;
        for (; at < text.length(); at++) {
            char c = text.charAt(at);
            if (quote != 0) {
                quote = c == quote ? 0 : quote;
            } else if (depth == 0 && (c == end || c == '}')) {
                break;
            } else if (c == '\'' || c == '"') {
                quote = c;
            } else if ("([{".indexOf(c) >= 0) {
                depth++;
            } else if (")]}".indexOf(c) >= 0) {
                depth--;
            }
        }
        return new Value(text.substring(from, at).strip(), from);
    }

    private String unquoted(Value key) throws IOException {
        String text = key.text;
        boolean quoted = text.length() > 1
                && (text.startsWith("'") && text.endsWith("'") || text.startsWith("\"") && text.endsWith("\""));
        if (!quoted) {
            throw malformed(key.at, "the key " + text + " is not a string");
        }
        return text.substring(1, text.length() - 1);
    }

    private StoredType type(Value descr) throws IOException {
        Matcher given = DESCR.matcher(descr.text);
        StoredType type = null;
        if (given.matches()) {
            type = given.group(1) == null ? StoredType.BFLOAT16 : TYPES.get(given.group(1));
        }
        if (type == null) {
            throw malformed(
                    descr.at,
                    "the dtype " + descr.text + " cannot be read; save it as '<f4', '<f8', '<i4', '<i8' or '|b1'");
        }
        return type;
    }

    private boolean fortran(Value value) throws IOException {
        return switch (value.text) {
            case "True" -> true;
            case "False" -> false;
            default -> throw malformed(value.at, "fortran_order is " + value.text + " and neither True nor False");
        };
    }

    /// Parses a tuple: `()`, `(3,)`, `(3, 4)`.
    private long[] shape(Value tuple, StoredType type) throws IOException {
        String text = tuple.text;
        boolean parentheses = text.startsWith("(") && text.endsWith(")");
        String inner = parentheses ? text.substring(1, text.length() - 1).strip() : "";
        String[] sizes = inner.split(",", -1);
        if (!parentheses || sizes.length == 1 && !inner.isEmpty()) {
            throw malformed(tuple.at, "the shape " + text + " is not a tuple");
        }
        // A trailing comma is allowed.
        long[] shape = new long[sizes[sizes.length - 1].isBlank() ? sizes.length - 1 : sizes.length];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = size(sizes[i].strip());
            if (shape[i] < 0) {
                throw malformed(
                        tuple.at, "the shape " + text + " has \"" + sizes[i].strip() + "\", which is not a size");
            }
        }
        if (!countable(shape, type)) {
            throw malformed(tuple.at, "the shape " + text + " has more bytes than a long can count");
        }
        return shape;
    }

    /// Returns a size, or −1 if the text is not one.
    private static long size(String digits) {
        // Python 2 wrote an L after a long.
        String plain = digits.endsWith("L") ? digits.substring(0, digits.length() - 1) : digits;
        try {
            return Long.parseLong(plain);
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    private static boolean countable(long[] shape, StoredType type) {
        if (Arrays.stream(shape).anyMatch(n -> n == 0)) {
            return true;
        }
        long bytes = type.bytes;
        for (long n : shape) {
            if (n > Long.MAX_VALUE / bytes) {
                return false;
            }
            bytes *= n;
        }
        return true;
    }

    private IOException malformed(int at, String problem) {
        return MalformedFileException.at(place, start + at, problem);
    }
}
