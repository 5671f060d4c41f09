package org.toydiff.io;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.toydiff.DType;

/// The text of a `.npy` header: a dict of Python with `descr`, `fortran_order` and `shape`.
final class NpyDict {
    private static final Set<String> KEYS = Set.of("descr", "fortran_order", "shape");

    private final Object place;
    private final int start;
    private final String text;
    private int at;

    /// @param start where the text begins, in bytes
    NpyDict(Object place, int start, String text) {
        this.place = place;
        this.start = start;
        this.text = text;
    }

    /// Reads the text.
    ///
    /// @param bytes how many bytes stand before the elements
    NpyHeader header(int bytes) throws IOException {
        Map<String, String> values = values();
        if (!values.keySet().equals(KEYS)) {
            throw malformed("the header has the keys " + values.keySet() + " and needs " + KEYS);
        }
        DType dtype = dtype(values.get("descr"));
        long[] shape = shape(values.get("shape"));
        requireCountable(dtype, shape);
        return new NpyHeader(dtype, fortran(values.get("fortran_order")), shape, bytes);
    }

    private Map<String, String> values() throws IOException {
        Map<String, String> values = new HashMap<>();
        expect('{');
        while (next() != '}') {
            String key = value(':');
            expect(':');
            if (values.put(unquoted(key), value(',')) != null) {
                throw malformed("the key " + key + " is there twice");
            }
            if (next() != '}') {
                expect(',');
            }
        }
        expect('}');
        if (next() != 0) {
            throw malformed("something follows the dict");
        }
        return values;
    }

    /// The next character that is no space, or 0 at the end.
    private char next() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
        return at < text.length() ? text.charAt(at) : 0;
    }

    private void expect(char c) throws IOException {
        if (next() != c) {
            throw malformed("a " + c + " is missing here");
        }
        at++;
    }

    /// The text up to `end`, or the brace that closes the dict, outside quotes and brackets.
    private String value(char end) {
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
        return text.substring(from, at).strip();
    }

    private String unquoted(String value) throws IOException {
        boolean quoted = value.length() > 1
                && (value.startsWith("'") && value.endsWith("'") || value.startsWith("\"") && value.endsWith("\""));
        if (!quoted) {
            throw malformed("the key " + value + " is no string");
        }
        return value.substring(1, value.length() - 1);
    }

    private DType dtype(String descr) throws IOException {
        String given = descr.replace('"', '\'');
        return Arrays.stream(DType.values())
                .filter(dtype -> NpyHeader.descr(dtype).equals(given))
                .findFirst()
                .orElseThrow(() -> malformed("the dtype " + descr
                        + " is none of toydiff's; save it as '<f4', '<f8', '<i4', '<i8' or '|b1'"));
    }

    private boolean fortran(String value) throws IOException {
        return switch (value) {
            case "True" -> true;
            case "False" -> false;
            default -> throw malformed("fortran_order is " + value + " and neither True nor False");
        };
    }

    /// A tuple: `()`, `(3,)`, `(3, 4)`.
    private long[] shape(String tuple) throws IOException {
        if (!tuple.startsWith("(") || !tuple.endsWith(")")) {
            throw malformed("the shape " + tuple + " is no tuple");
        }
        String inner = tuple.substring(1, tuple.length() - 1).strip();
        if (inner.isEmpty()) {
            return new long[0];
        }
        String[] sizes = inner.split(",", -1);
        int count = sizes[sizes.length - 1].isBlank() ? sizes.length - 1 : sizes.length;
        if (sizes.length == 1) {
            throw malformed("the shape " + tuple + " is no tuple");
        }
        long[] shape = new long[count];
        for (int i = 0; i < count; i++) {
            shape[i] = size(tuple, sizes[i].strip());
        }
        return shape;
    }

    private long size(String tuple, String digits) throws IOException {
        try {
            // Python 2 wrote an L after a long.
            long size = Long.parseLong(digits.endsWith("L") ? digits.substring(0, digits.length() - 1) : digits);
            if (size >= 0) {
                return size;
            }
        } catch (NumberFormatException e) {
            throw malformed("the shape " + tuple + " has " + digits + ", which is no size");
        }
        throw malformed("the shape " + tuple + " has a negative size");
    }

    private void requireCountable(DType dtype, long[] shape) throws IOException {
        if (Arrays.stream(shape).anyMatch(n -> n == 0)) {
            return;
        }
        long bytes = dtype.bytes();
        for (long n : shape) {
            if (n > Long.MAX_VALUE / bytes) {
                throw malformed("the shape " + Arrays.toString(shape) + " has more bytes than a long can count");
            }
            bytes *= n;
        }
    }

    private IOException malformed(String problem) {
        return Malformed.at(place, start + at, problem);
    }
}
