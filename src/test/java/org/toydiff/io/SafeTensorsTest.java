package org.toydiff.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.io.FilesOfPython.assertSame;
import static org.toydiff.io.FilesOfPython.file;
import static org.toydiff.io.FilesOfPython.ramp;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.Memory;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;
import org.toydiff.child.Child;
import org.toydiff.child.WithoutGson;
import org.toydiff.optim.SGD;

/// Files that Python's safetensors wrote, files that it must be able to read, and malformed files.
class SafeTensorsTest extends ArenaTest {
    private static final String ODD_NAME = "größe \"\\/\n\t\u0001 😀";

    @TempDir
    private Path folder;

    private static Map<String, Tensor> all() {
        Map<String, Tensor> all = new LinkedHashMap<>();
        all.put("b.weight", ramp(DType.FLOAT32, 2, 3));
        all.put("a", ramp(DType.FLOAT64, 3));
        all.put("labels", ramp(DType.INT64, 5));
        all.put("counts", ramp(DType.INT32, 2, 1, 2));
        all.put("mask", ramp(DType.BOOL, 7));
        all.put("scalar", ramp(DType.FLOAT32));
        all.put("empty", ramp(DType.FLOAT32, 0, 3));
        all.put("B", ramp(DType.FLOAT32, 1));
        all.put(ODD_NAME, ramp(DType.FLOAT32, 2));
        all.put("\ufb00", ramp(DType.FLOAT32, 2));
        return all;
    }

    private static final Map<String, String> PURPOSE = Map.of("purpose", "a <test> & \"more\" ä\n");

    @Test
    void whatPythonWroteIsRead() throws IOException {
        try (var saved = SafeTensors.open(file("all.safetensors"))) {
            Map<String, Tensor> tensors = saved.toMap();
            Map<String, Tensor> expected = all();
            assertEquals(expected.keySet(), tensors.keySet());
            expected.forEach((name, tensor) -> assertSame(tensor, tensors.get(name)));
            assertEquals(PURPOSE, saved.metadata());
            assertEquals(
                    List.of("labels", "a", "B", "b.weight", "empty", ODD_NAME, "scalar", "\ufb00", "counts", "mask")
                            .stream()
                            .sorted()
                            .toList(),
                    saved.names().stream().sorted().toList());
            assertEquals("labels", saved.names().getFirst());
            assertEquals("mask", saved.names().getLast());
        }
    }

    @Test
    void theSameContentIsTheSameBytesAsPythons() throws IOException {
        Path mine = folder.resolve("all.safetensors");
        SafeTensors.save(mine, all(), PURPOSE);
        assertArrayEquals(FilesOfPython.bytes("all.safetensors"), Files.readAllBytes(mine));
        SafeTensors.save(mine, Map.of());
        assertArrayEquals(FilesOfPython.bytes("nothing.safetensors"), Files.readAllBytes(mine));
        try (var saved = SafeTensors.open(mine)) {
            assertEquals(Map.of(), saved.toMap());
            assertEquals(Map.of(), saved.metadata());
        }
    }

    @Test
    void metadataIsWrittenInOneOrder() throws IOException {
        Map<String, String> forward = new LinkedHashMap<>();
        Map<String, String> backward = new LinkedHashMap<>();
        for (int i = 0; i < 20; i++) {
            forward.put("key" + i, "value" + i);
            backward.put("key" + (19 - i), "value" + (19 - i));
        }
        SafeTensors.save(folder.resolve("a"), Map.of("x", Tensor.ones(1)), forward);
        SafeTensors.save(folder.resolve("b"), Map.of("x", Tensor.ones(1)), backward);
        assertArrayEquals(Files.readAllBytes(folder.resolve("a")), Files.readAllBytes(folder.resolve("b")));
        try (var saved = SafeTensors.open(folder.resolve("a"))) {
            assertEquals(forward, saved.metadata());
        }
    }

    @Test
    void tensorsLieInTheMappedFileItself() throws IOException {
        long live = Memory.liveBytes();
        Tensor weight;
        try (var saved = SafeTensors.open(file("all.safetensors"))) {
            weight = saved.get("b.weight");
            assertEquals(live, Memory.liveBytes());
            assertTrue(weight.segment().isMapped());
            assertTrue(weight.segment().isReadOnly());
            Tensor again = saved.get("b.weight");
            assertEquals(weight.segment().address(), again.segment().address());
            Tensor other = Tensor.ones(2, 3);
            assertEquals(
                    "copyFrom: the memory of [2, 3] is read-only",
                    assertThrows(IllegalArgumentException.class, () -> weight.copyFrom(other))
                            .getMessage());
        }
        assertThrows(IllegalStateException.class, weight::toFloatArray);
    }

    @Test
    void aMappedParameterCannotBeTrained() throws IOException {
        try (var saved = SafeTensors.open(file("all.safetensors"))) {
            Tensor weight = saved.get("b.weight").trackGradient();
            weight.multiply(weight).sum().backward();
            var sgd = new SGD(List.of(weight), 0.1);
            assertThrows(IllegalArgumentException.class, sgd::step);
            assertSame(ramp(DType.FLOAT32, 2, 3), weight.detach());
        }
    }

    @Test
    void whatIsClosedSaysSo() throws IOException {
        var saved = SafeTensors.open(file("all.safetensors"));
        saved.close();
        saved.close();
        var e = assertThrows(IllegalStateException.class, () -> saved.get("a"));
        assertEquals("get: " + file("all.safetensors") + " is closed", e.getMessage());
    }

    @Test
    void anUnknownNameSaysSo() throws IOException {
        try (var saved = SafeTensors.open(file("all.safetensors"))) {
            var e = assertThrows(IllegalArgumentException.class, () -> saved.get("c"));
            assertEquals(
                    "get: there is no \"c\" in " + file("all.safetensors") + "; names() lists all names",
                    e.getMessage());
        }
    }

    @Test
    void dtypesThatCannotBeReadAreListedAndRefusedOneByOne() throws IOException {
        Map<String, String> refused = Map.of(
                "eight bits", "F8_E4M3",
                "eight more bits", "F8_E5M2",
                "complex", "C64");
        try (var saved = SafeTensors.open(file("others.safetensors"))) {
            refused.forEach((name, dtype) -> {
                assertEquals(dtype, saved.dtype(name));
                assertArrayEquals(new long[] {3}, saved.shape(name));
                var e = assertThrows(IllegalArgumentException.class, () -> saved.get(name));
                assertEquals(
                        "get: \"" + name + "\" in " + file("others.safetensors") + " is " + dtype
                                + ", which cannot be read; save it as F32, F64, I32, I64 or BOOL",
                        e.getMessage());
            });
            assertThrows(IllegalArgumentException.class, saved::toMap);
        }
    }

    @Test
    void misalignedTensorsAreCopied() throws IOException {
        Tensor w;
        try (var saved = SafeTensors.open(file("misaligned.safetensors"))) {
            w = saved.get("w");
            assertArrayEquals(new long[] {(1L << 60) + 1}, saved.get("n").toLongArray());
            assertArrayEquals(new long[] {1, 0, 1}, saved.get("mask").toLongArray());
        }
        assertArrayEquals(new float[] {1.5f, -2.5f}, w.toFloatArray());
    }

    @Test
    void viewsAreWrittenAsWhatTheyShow() throws IOException {
        Tensor x = ramp(DType.FLOAT32, 4, 6).trackGradient();
        Tensor n = ramp(DType.INT64, 4, 6);
        Map<String, Tensor> views = new LinkedHashMap<>();
        views.put("transposed", x.transpose());
        views.put("column", x.slice(1, 2, 3));
        views.put("columns", x.slice(1, 1, 4));
        views.put("rows", x.slice(0, 1, 3));
        views.put("stretched", x.slice(0, 0, 1).broadcastTo(5, 6));
        views.put("one", Tensor.scalar(2).broadcastTo(3));
        views.put("whole", n.transpose());
        views.put("mask", ramp(DType.BOOL, 3, 5).transpose());
        Path file = folder.resolve("views");
        SafeTensors.save(file, views);
        try (var saved = SafeTensors.open(file)) {
            views.forEach((name, view) -> assertSame(view.detach(), saved.get(name)));
        }
    }

    @Test
    void manyPiecesAreWrittenInOrder() throws IOException {
        Path file = folder.resolve("large");
        Tensor large = Tensor.arange(DType.INT64, 0, 1_600_001, 1);
        SafeTensors.save(
                file,
                Map.of("large", large, "turned", large.reshape(1, 1_600_001).transpose()));
        try (var saved = SafeTensors.open(file)) {
            assertArrayEquals(large.toLongArray(), saved.get("large").toLongArray());
            assertArrayEquals(large.toLongArray(), saved.get("turned").toLongArray());
        }
    }

    @Test
    void everyBitOfEveryNumberStays() throws IOException {
        Path file = folder.resolve("bits");
        float nan = Float.intBitsToFloat(0x7f800123);
        Tensor bits = Tensor.of(nan, -0f, Float.NEGATIVE_INFINITY, Float.MIN_VALUE, Float.MAX_VALUE);
        SafeTensors.save(
                file, Map.of("bits", bits, "long", Tensor.of(new long[] {Long.MIN_VALUE, Long.MAX_VALUE, -1})));
        try (var saved = SafeTensors.open(file)) {
            assertEquals(-1, bits.segment().mismatch(saved.get("bits").segment()));
            assertArrayEquals(
                    new long[] {Long.MIN_VALUE, Long.MAX_VALUE, -1},
                    saved.get("long").toLongArray());
        }
    }

    @Test
    void whatIsMappedStaysWhenTheFileIsReplaced() throws IOException {
        Path file = folder.resolve("x");
        SafeTensors.save(file, Map.of("x", Tensor.full(1, 100_000)));
        try (var saved = SafeTensors.open(file)) {
            SafeTensors.save(file, Map.of("x", Tensor.full(2, 10)));
            assertEquals(100_000, saved.get("x").sum().item());
        }
        try (var saved = SafeTensors.open(file)) {
            assertEquals(20, saved.get("x").sum().item());
            // Saves a mapped file over itself.
            SafeTensors.save(file, saved.toMap());
        }
        try (var saved = SafeTensors.open(file)) {
            assertEquals(20, saved.get("x").sum().item());
        }
    }

    @Test
    void namesThatCannotBeWrittenAreRefused() {
        Path file = folder.resolve("x");
        var reserved = assertThrows(
                IllegalArgumentException.class, () -> SafeTensors.save(file, Map.of("__metadata__", Tensor.ones(1))));
        assertEquals("save: \"__metadata__\" cannot be a tensor's name; rename it", reserved.getMessage());
        assertThrows(IllegalArgumentException.class, () -> SafeTensors.save(file, Map.of("\ud800", Tensor.ones(1))));
        assertThrows(IllegalArgumentException.class, () -> SafeTensors.save(file, Map.of(), Map.of("key", "\udc00")));
        assertFalse(Files.exists(file));
    }

    @Test
    void aFreedTensorIsRefusedBeforeAnythingIsWritten() {
        Tensor freed;
        try (var inner = TensorArena.ofConfined()) {
            freed = Tensor.ones(3);
        }
        assertThrows(IllegalStateException.class, () -> SafeTensors.save(folder.resolve("x"), Map.of("x", freed)));
        assertArrayEquals(new String[0], folder.toFile().list());
    }

    @Test
    void aMissingFileIsTheJdksException() {
        assertThrows(NoSuchFileException.class, () -> SafeTensors.open(folder.resolve("none")));
    }

    private Path written(byte[] bytes) throws IOException {
        return Files.write(folder.resolve("bad"), bytes);
    }

    private static byte[] bytes(String header, int dataBytes) {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(Long.BYTES + text.length + dataBytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(text.length)
                .put(text)
                .array();
    }

    private static void assertMalformed(Path file, String problem) {
        var e = assertThrows(
                MalformedFileException.class, () -> SafeTensors.open(file).close());
        assertEquals(file + ": offset " + problem, e.getMessage());
    }

    /// The header's entry of a tensor, with ' for ".
    private static final String A = "'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}";

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            4 | [] | 8: the header does not begin with {
            4 |  {} | 8: the tensors take 0 bytes, and 4 follow the header
            8 | {A} | 8: the tensors take 4 bytes, and 8 follow the header
            3 | {A} | 8: the tensors take 4 bytes, and 3 follow the header
            4 | {A,A} | 8: the name "a" appears twice
            4 | {'__metadata__':{},A,'__metadata__':{}} | 8: the name "__metadata__" appears twice
            4 | {'__metadata__':{'k':'1','k':'2'},A} | 8: __metadata__: the key "k" appears twice
            4 | {'__metadata__':{'k':1},A} | 8: "__metadata__": k is not a string
            4 | {'a':{'dtype':'F32','dtype':'F32','shape':[1],'data_offsets':[0,4]}} | 8: "a": dtype appears twice
            4 | {'a':{'dtype':4,'shape':[1],'data_offsets':[0,4]}} | 8: "a": dtype is not a string
            4 | {'a':{'shape':[1],'data_offsets':[0,4]}} | 8: "a": it needs dtype, shape and data_offsets, and has only [shape, data_offsets]
            4 | {'a':{'dtype':'F32','shape':[-1],'data_offsets':[0,4]}} | 8: "a": shape holds -1; it must be an integer from 0 to 2^63 - 1
            4 | {'a':{'dtype':'F32','shape':[1.0],'data_offsets':[0,4]}} | 8: "a": shape holds 1.0; it must be an integer from 0 to 2^63 - 1
            4 | {'a':{'dtype':'F32','shape':[9223372036854775808],'data_offsets':[0,4]}} | 8: "a": shape holds 9223372036854775808; it must be an integer from 0 to 2^63 - 1
            4 | {'a':{'dtype':'F32','shape':['1'],'data_offsets':[0,4]}} | 8: "a": shape holds STRING; it must hold numbers only
            4 | {'a':{'dtype':'F32','shape':[4294967296,4294967296],'data_offsets':[0,4]}} | 8: "a": shape [4294967296, 4294967296] has more bits than a long can count
            4 | {'a':{'dtype':'F32','shape':[2],'data_offsets':[0,4]}} | 8: "a": shape [2] of F32 takes 8 bytes, and data_offsets [0, 4] give it 4
            4 | {'a':{'dtype':'F4','shape':[7],'data_offsets':[0,4]}} | 8: "a": shape [7] of F4 does not end at a whole byte
            4 | {'a':{'dtype':'F32','shape':[1],'data_offsets':[0]}} | 8: "a": data_offsets are 1 numbers; two are needed
            4 | {A,'b':{'dtype':'NEW','shape':[1],'data_offsets':[4,0]}} | 8: "b": data_offsets [4, 0] end before they begin
            8 | {A,'b':{'dtype':'F32','shape':[1],'data_offsets':[3,7]}} | 8: "b": data_offsets begin at 3, and the data before ends at 4: tensors must neither overlap nor leave gaps
            9 | {A,'b':{'dtype':'F32','shape':[1],'data_offsets':[5,9]}} | 8: "b": data_offsets begin at 5, and the data before ends at 4: tensors must neither overlap nor leave gaps
            4 | {'a':{'dtype':'BOOL','shape':[4611686018427387904],'data_offsets':[0,4611686018427387904]}} | 8: "a": shape [4611686018427387904] has more bits than a long can count
            4 | {'a':{'dtype':'NEW','shape':[4],'data_offsets':[0,9223372036854775807]}} | 8: the tensors take 9223372036854775807 bytes, and 4 follow the header
            """)
    void whatTheHeaderMustNotBeIsNamed(int dataBytes, String header, String problem) throws IOException {
        String text = header.replace("A", A).replace('\'', '"');
        assertMalformed(written(bytes(text, dataBytes)), problem);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{A",
                "{A}}",
                "{A} x",
                "{A,}",
                "{a:1}",
                "{'a':1}",
                "{'a':[]}",
                "{'__metadata__':null}",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4],'x':TRUE}}",
                "{//\n}"
            })
    void whatIsNotJsonIsNamed(String header) throws IOException {
        Path file = written(bytes(header.replace("A", A).replace('\'', '"'), 4));
        var e = assertThrows(IOException.class, () -> SafeTensors.open(file).close());
        assertTrue(
                e.getMessage().startsWith(file + ": offset 8: the header is not the expected JSON: "), e.getMessage());
        assertEquals(1, e.getMessage().lines().count());
    }

    @Test
    void whatIsNotUtf8IsNamed() throws IOException {
        byte[] bytes = bytes("{\"?\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4);
        bytes[10] = (byte) 0xff;
        assertMalformed(written(bytes), "8: the header is not the expected JSON: Input length = 1");
    }

    @Test
    void deepNestingEndsInAnException() throws IOException {
        Path file = written(bytes("{\"a\":{\"x\":" + "[".repeat(1_000_000), 0));
        assertThrows(IOException.class, () -> SafeTensors.open(file).close());
    }

    @Test
    void theLengthOfTheHeaderIsChecked() throws IOException {
        assertMalformed(written(new byte[0]), "0: the file ends within the length of its header");
        assertMalformed(written(new byte[7]), "7: the file ends within the length of its header");
        assertMalformed(written(new byte[8]), "8: the header does not begin with {");
        byte[] bytes = bytes("{}", 0);
        bytes[0] = 3;
        assertMalformed(written(bytes), "0: a header of 3 bytes does not fit into the 2 left");
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(100_000_001);
        assertMalformed(
                written(bytes), "0: a header of 100000001 bytes is longer than the 100000000 that the format allows");
        Arrays.fill(bytes, 0, 8, (byte) 0xff);
        assertMalformed(
                written(bytes),
                "0: a header of 18446744073709551615 bytes is longer than the 100000000 that the format allows");
    }

    @Test
    void aBoolThatIsNoneIsNamedWithItsPlace() throws IOException {
        byte[] bytes = bytes("{\"m\":{\"dtype\":\"BOOL\",\"shape\":[21],\"data_offsets\":[0,21]}}", 21);
        for (int i = 1; i <= 21; i++) {
            byte[] wrong = bytes.clone();
            wrong[bytes.length - i] = 2;
            assertMalformed(
                    written(wrong), (bytes.length - i) + ": \"m\" is BOOL and has a byte that is neither 0 nor 1");
        }
    }

    @Test
    void unknownFieldsAndDtypesAreNoProblemUntilAskedFor() throws IOException {
        Path file = written(
                bytes("{\"a\":{\"dtype\":\"F2\",\"more\":{\"x\":[1]},\"shape\":[3],\"data_offsets\":[0,1]}}", 1));
        try (var saved = SafeTensors.open(file)) {
            assertEquals("F2", saved.dtype("a"));
            assertThrows(IllegalArgumentException.class, () -> saved.get("a"));
        }
    }

    @Test
    void oneTimesOneAxisMoreThanMemoryIsNoProblemWhenEmpty() throws IOException {
        Path file = written(bytes(
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807,9223372036854775807,0],"
                        + "\"data_offsets\":[0,0]}}",
                0));
        try (var saved = SafeTensors.open(file)) {
            assertEquals(0, saved.get("a").size());
        }
    }

    @Test
    void damagedFilesAreReadOrRefused() throws IOException {
        byte[] good = FilesOfPython.bytes("all.safetensors");
        var random = new Random(1);
        int refused = 0;
        for (int i = 0; i < 600; i++) {
            byte[] bad = good.clone();
            for (int k = 0; k <= random.nextInt(3); k++) {
                bad[random.nextInt(i % 2 == 0 ? 40 : bad.length)] = (byte) random.nextInt(128);
            }
            Path file = written(i % 10 == 0 ? Arrays.copyOf(bad, random.nextInt(bad.length)) : bad);
            try (var saved = SafeTensors.open(file)) {
                for (String name : saved.names()) {
                    if (SafeTensorsType.named(saved.dtype(name)).isPresent()
                            && !saved.dtype(name).startsWith("U")) {
                        saved.get(name).toString();
                    }
                }
            } catch (IOException e) {
                refused++;
            }
        }
        assertTrue(refused > 200 && refused < 600, refused + " of 600 were refused");
    }

    @Test
    void withoutGsonItSaysWhatIsMissing() throws Exception {
        String withoutGson = Child.classPath(entry -> !entry.contains("gson"));
        Child child = Child.run(List.of(
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                withoutGson,
                WithoutGson.class.getName(),
                file("all.safetensors").toString(),
                folder.resolve("x").toString()));
        String remedy = ": needs Gson; add the dependency com.google.code.gson:gson:2.15.0 (where toydiff is on the"
                + " module path, there too, with --add-modules ALL-MODULE-PATH)";
        assertEquals(
                List.of("open" + remedy, "save" + remedy), child.out().lines().toList(), child.err());
    }
}
