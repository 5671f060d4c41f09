package org.toydiff.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.Memory;
import org.toydiff.Tensor;
import org.toydiff.io.MalformedFileException;

/// CSV files: the choice of columns, and the messages for cells that are not numbers.
class CsvFileTest extends ArenaTest {
    private static final String FLOWERS = "length,width,species\n5.1,3.5,0\n-4e-1,+.25,2\n6.,1E2,1\n";

    @TempDir
    private Path folder;

    private CsvFile file(String content) throws IOException {
        return CsvFile.of(Files.writeString(folder.resolve("a.csv"), content));
    }

    private static Batch all(Dataset set) {
        return set.batch(LongStream.range(0, set.size()).toArray());
    }

    /// Reads a file that must be refused, and sees that nothing is left of it.
    private String refused(CsvFile file) {
        long live = arena.liveBytes();
        String message = assertThrows(MalformedFileException.class, file::read).getMessage();
        assertEquals(live, arena.liveBytes());
        assertTrue(message.startsWith(folder.resolve("a.csv") + ": "), message);
        return message.substring(folder.resolve("a.csv").toString().length() + 2);
    }

    private String refusedChoice(CsvFile file) {
        String start = "read: " + folder.resolve("a.csv") + ": ";
        String message =
                assertThrows(IllegalArgumentException.class, file::read).getMessage();
        assertTrue(message.startsWith(start), message);
        return message.substring(start.length());
    }

    private static void requireFlowers(TensorDataset set) {
        assertEquals(3, set.size());
        Batch batch = all(set);
        assertArrayEquals(new long[] {3, 2}, batch.x().shape());
        assertArrayEquals(
                new float[] {5.1f, 3.5f, -0.4f, 0.25f, 6, 100}, batch.x().toFloatArray());
        assertEquals(DType.INT64, batch.y().dtype());
        assertArrayEquals(new long[] {0, 2, 1}, batch.y().toLongArray());
    }

    /// The example of [CsvFile].
    @Test
    void theExampleOfTheDocumentationReads() throws IOException {
        Path digits = Files.writeString(folder.resolve("digits.csv"), "p0,p1,digit\n0.5,1,7\n0,0.25,3\n");
        Path prices = Files.write(
                folder.resolve("prices.csv.gz"),
                TestFiles.gzip("area,rooms,price\n80,3,1000\n".getBytes(StandardCharsets.UTF_8)));
        Batch digit = CsvFile.of(digits).labels("digit").read().batch(0, 1);
        assertArrayEquals(new long[] {7, 3}, digit.y().toLongArray());
        assertArrayEquals(new long[] {2, 2}, digit.x().shape());
        Batch price = CsvFile.of(prices)
                .inputs("area", "rooms")
                .targets("price")
                .read()
                .batch(0);
        assertArrayEquals(new float[] {80, 3}, price.x().toFloatArray());
        assertArrayEquals(new float[] {1000}, price.y().toFloatArray());
    }

    @Test
    void allColumnsButTheLabelsAreInputs() throws IOException {
        requireFlowers(file(FLOWERS).labels("species").read());
        requireFlowers(file(FLOWERS).labels(2).read());
    }

    @Test
    void linesMayEndAndCellsMayBeWrittenInEveryWay() throws IOException {
        requireFlowers(file(FLOWERS.replace("\n", "\r\n")).labels("species").read());
        requireFlowers(file(FLOWERS.strip()).labels("species").read());
        requireFlowers(file("\ufeff" + FLOWERS)
                .inputs("length", "width")
                .labels("species")
                .read());
        requireFlowers(file(FLOWERS.replace(",", " , ")).labels("species").read());
        requireFlowers(file(FLOWERS.replace("5.1", "\"5.1\"").replace("width", "\"width\""))
                .inputs("length", "width")
                .labels("species")
                .read());
        requireFlowers(file(FLOWERS.replace("\n", "\n\n")).labels("species").read());
        requireFlowers(file(FLOWERS.replace(',', '\t'))
                .delimiter('\t')
                .labels("species")
                .read());
        requireFlowers(file(FLOWERS.substring(FLOWERS.indexOf('\n') + 1))
                .withoutHeader()
                .labels(2)
                .read());
    }

    @Test
    void aGzipFileIsDecompressed() throws IOException {
        byte[] packed = TestFiles.gzip(FLOWERS.getBytes(StandardCharsets.UTF_8));
        requireFlowers(CsvFile.of(Files.write(folder.resolve("a.csv.gz"), packed))
                .labels("species")
                .read());
    }

    @Test
    void columnsComeInTheOrderOfTheirChoice() throws IOException {
        Batch batch =
                all(file(FLOWERS).inputs("width").targets("species", "length").read());
        assertArrayEquals(new float[] {3.5f, 0.25f, 100}, batch.x().toFloatArray());
        assertArrayEquals(new long[] {3, 2}, batch.y().shape());
        assertEquals(DType.FLOAT32, batch.y().dtype());
        assertArrayEquals(new float[] {0, 5.1f, 2, -0.4f, 1, 6}, batch.y().toFloatArray());
        Batch same = all(file(FLOWERS).inputs(1).targets(2, 0).read());
        assertArrayEquals(batch.x().toFloatArray(), same.x().toFloatArray());
        assertArrayEquals(batch.y().toFloatArray(), same.y().toFloatArray());
    }

    @Test
    void anInputMayBeATargetToo() throws IOException {
        Batch batch = all(file(FLOWERS).inputs("length").targets("length").read());
        assertArrayEquals(batch.x().toFloatArray(), batch.y().toFloatArray());
    }

    @Test
    void settingsHoldFromTheNextReadOn() throws IOException {
        CsvFile file = file(FLOWERS).targets("width").labels("species");
        requireFlowers(file.read());
        file.inputs("length").targets("width");
        Batch batch = all(file.read());
        assertArrayEquals(new float[] {5.1f, -0.4f, 6}, batch.x().toFloatArray());
        assertEquals(DType.FLOAT32, batch.y().dtype());
        assertArrayEquals(new float[] {3.5f, 0.25f, 100}, batch.y().toFloatArray());
    }

    @Test
    void manyRowsAreReadWithoutKeepingThemTwice() throws IOException {
        int rows = 50_000;
        var text = new StringBuilder("a,b,c,y\n");
        float[] x = new float[3 * rows];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < 3; j++) {
                x[3 * i + j] = (float) Math.sin(3 * i + j);
                text.append(x[3 * i + j]).append(',');
            }
            text.append(i).append('\n');
        }
        Memory.resetPeak();
        TensorDataset set = file(text.toString()).labels("y").read();
        assertTrue(Memory.peakBytes() - before < rows * 20L + 200_000, "" + (Memory.peakBytes() - before));
        Batch batch = all(set);
        assertArrayEquals(x, batch.x().toFloatArray());
        assertArrayEquals(LongStream.range(0, rows).toArray(), batch.y().toLongArray());
    }

    @Test
    void floatsAreReadToTheNearest() throws IOException {
        String[] cells = {"0.1", "16777217", "1.17549435e-38", "3.4028235e38", "1e-46", "-0", "8388608.5000000001"};
        Batch batch = all(
                file("x,y\n" + String.join(",0\n", cells) + ",0\n").labels("y").read());
        float[] expected = new float[cells.length];
        for (int i = 0; i < cells.length; i++) {
            expected[i] = Float.parseFloat(cells[i]);
        }
        assertArrayEquals(expected, batch.x().toFloatArray());
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "1f", "0x10", "NaN", "inf", "-Infinity", "1e39", "1,5", "1.2.3", "--1", "1 2", "e5"})
    void aCellThatIsNotANumberIsNamedWithItsPlace(String cell) throws IOException {
        CsvFile file =
                file("a;b b;y\n1;2;3\n\n1;" + cell + ";3\n").delimiter(';').labels("y");
        assertEquals(
                "line 4: column 2 (b b): \"" + cell + "\" is not a finite decimal number within FLOAT32",
                refused(file));
    }

    @ParameterizedTest
    @CsvSource({"1.0", "1.5", "x", "9223372036854775808"})
    void aLabelMustBeAnInteger(String cell) throws IOException {
        CsvFile file = file("1," + cell + "\n").withoutHeader().labels(1);
        assertEquals(
                "line 1: column 2: \"" + cell + "\" is not an integer, as a label must be; read the names of"
                        + " classes by textLabels(…)",
                refused(file));
    }

    private static final String NAMES =
            "length,species\n5.1,setosa\n4.9, virginica\n6,\"Éa, \"\"b\"\"\"\n4.7,setosa \n5,Virginica\n";

    @Test
    void namesOfClassesAreNumberedInTheirOrderAsStrings() throws IOException {
        for (CsvFile file :
                List.of(file(NAMES).textLabels("species"), file(NAMES).textLabels(1))) {
            TensorDataset set = file.read();
            assertEquals(List.of("Virginica", "setosa", "virginica", "Éa, \"b\""), set.classes());
            Batch batch = all(set);
            assertEquals(DType.INT64, batch.y().dtype());
            assertArrayEquals(new long[] {1, 2, 3, 1, 0}, batch.y().toLongArray());
            assertArrayEquals(new float[] {5.1f, 4.9f, 6, 4.7f, 5}, batch.x().toFloatArray());
        }
        String header = NAMES.substring(0, NAMES.indexOf('\n') + 1);
        String reversed = NAMES.substring(header.length()).lines().toList().reversed().stream()
                .collect(Collectors.joining("\n", header, "\n"));
        TensorDataset set = file(reversed).textLabels("species").read();
        assertArrayEquals(new long[] {0, 1, 3, 2, 1}, all(set).y().toLongArray(), "whatever the order of the rows");
    }

    @Test
    void classesThatAreSetKeepTheirOrder() throws IOException {
        TensorDataset train = file("a,y\n1,dog\n2,cat\n3,eel\n").textLabels("y").read();
        TensorDataset test = file("a,y\n1,eel\n2,cat\n")
                .textLabels("y")
                .classes(train.classes())
                .read();
        assertEquals(List.of("cat", "dog", "eel"), test.classes());
        assertArrayEquals(new long[] {2, 0}, all(test).y().toLongArray());
        CsvFile unknown = file("a,y\n1,dog\n2,ant\n").textLabels("y").classes(List.of("eel", "dog"));
        assertEquals("line 3: column 2 (y): \"ant\" is none of the classes [eel, dog]", refused(unknown));
        assertEquals(
                List.of("ant", "dog"),
                file("a,y\n1,dog\n2,ant\n").textLabels("y").read().classes());
    }

    @Test
    void labelsThatAreNumbersHaveNoClasses() throws IOException {
        assertEquals(List.of(), file(FLOWERS).labels("species").read().classes());
        assertEquals(List.of(), file(FLOWERS).targets("species").read().classes());
        assertEquals(List.of(), new TensorDataset(Tensor.ones(2), Tensor.ones(2)).classes());
        TensorDataset text = file(FLOWERS).textLabels("species").read();
        assertEquals(List.of("0", "1", "2"), text.classes(), "numbers as text");
        requireFlowers(text);
    }

    @Test
    void classesThatDoNotFitAreRefused() throws IOException {
        CsvFile file = file(FLOWERS).labels("species");
        for (List<String> classes : List.of(List.<String>of(), List.of("a", "b", "a"))) {
            assertEquals(
                    "CsvFile: classes " + classes + " must be one or more, each once",
                    assertThrows(IllegalArgumentException.class, () -> file.classes(classes))
                            .getMessage());
        }
        file.classes(List.of("a"));
        assertEquals(
                "read: " + folder.resolve("a.csv") + ": classes were set, and the labels are not text; call"
                        + " textLabels(…)",
                assertThrows(IllegalStateException.class, file::read).getMessage());
        assertEquals(
                "no column named \"y\"; the header is [length, width, species]",
                refusedChoice(file(FLOWERS).textLabels("y")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  ", "\"\""})
    void aMissingNumberIsRefusedUnlessItIsToBeNaN(String cell) throws IOException {
        String content = "a,b b,y\n1,2,3\n\n4," + cell + ",5\n";
        String written = cell.replace("\"", "");
        assertEquals(
                "line 4: column 2 (b b): \"" + written
                        + "\" is no number; fill it in, or read missing numbers as NaN by" + " missingAsNaN()",
                refused(file(content).labels("y")));
        Batch inputs = all(file(content).labels("y").missingAsNaN().read());
        assertArrayEquals(new float[] {1, 2, 4, Float.NaN}, inputs.x().toFloatArray());
        assertArrayEquals(new long[] {3, 5}, inputs.y().toLongArray());
        Batch targets = all(file(content).targets("b b").missingAsNaN().read());
        assertArrayEquals(new float[] {2, Float.NaN}, targets.y().toFloatArray());
    }

    @Test
    void aMissingLabelIsAlwaysRefused() throws IOException {
        String problem =
                "line 3: column 2 (y): \"\" is no label, and every row needs one; fill it in or remove the row";
        for (CsvFile file : List.of(
                file("a,y\n1,2\n3,\n").labels("y"), file("a,y\n1,2\n3,\n").textLabels("y"))) {
            assertEquals(problem, refused(file));
            assertEquals(problem, refused(file.missingAsNaN()));
        }
    }

    @Test
    void aTextThatIsNotANumberStaysAnErrorWhenMissingOnesAreNaN() throws IOException {
        assertEquals(
                "line 2: column 1 (a): \"NA\" is not a finite decimal number within FLOAT32",
                refused(file("a,y\nNA,1\n").labels("y").missingAsNaN()));
    }

    @Test
    void aLocaleWithACommaChangesNothing() throws IOException {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.GERMANY);
        try {
            requireFlowers(file(FLOWERS).labels("species").read());
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void rowsOfAnotherLengthAreRefused() throws IOException {
        assertEquals(
                "line 3: 2 cells, but the first line has 3",
                refused(file("a,b,y\n1,2,3\n1,2\n").labels("y")));
        assertEquals(
                "line 2: 4 cells, but the first line has 3",
                refused(file("1,2,3\n1,2,3,4\n").withoutHeader().labels(2)));
    }

    @Test
    void aFileWithoutRowsIsRefused() throws IOException {
        for (String content : new String[] {"", "\n\n", "a,b\n", "a,b\n\n"}) {
            assertEquals(
                    "line 1: the file has no rows of numbers",
                    refused(file(content).labels(0)));
        }
        assertEquals(
                "line 1: the file has no rows of numbers",
                refused(file("").withoutHeader().labels(0)));
    }

    @Test
    void aQuoteThatIsNotClosedIsRefused() throws IOException {
        String message = refused(file("a,y\n1,2\n\"1,2\n3,4\n").labels("y"));
        assertTrue(message.startsWith("after line 2: "), message);
    }

    @Test
    void aCellLargerThanTheBufferIsRefused() throws IOException {
        String message = refused(file("a,y\n" + "1".repeat(17 << 20) + ",2\n").labels("y"));
        assertTrue(message.startsWith("after line 1: "), message);
    }

    @Test
    void aTruncatedGzipFileIsRefused() throws IOException {
        byte[] packed = TestFiles.gzip(FLOWERS.repeat(10_000).getBytes(StandardCharsets.UTF_8));
        Files.write(folder.resolve("a.csv"), Arrays.copyOf(packed, packed.length / 2));
        String message =
                refused(CsvFile.of(folder.resolve("a.csv")).delimiter(';').labels(0));
        assertTrue(message.contains("the gzip data is damaged or truncated: Unexpected end of ZLIB"), message);
    }

    @Test
    void columnsThatAreNotThereAreNamed() throws IOException {
        assertEquals(
                "no column named \"Width\"; the header is [length, width, species]",
                refusedChoice(file(FLOWERS).labels("Width")));
        assertEquals(
                "no column at position 3; the file has 3",
                refusedChoice(file(FLOWERS).labels(3)));
        assertEquals(
                "no column at position -1; the file has 3",
                refusedChoice(file(FLOWERS).inputs(-1).labels(0)));
        assertEquals(
                "no column named \"a\"; the header is []",
                refusedChoice(file("1,2\n").withoutHeader().labels("a")));
        assertEquals(
                "2 columns named \"a\"; the header is [a, a]",
                refusedChoice(file("a,a\n1,2\n").labels("a")));
        assertEquals(
                "a column is chosen twice",
                refusedChoice(file(FLOWERS).inputs(1, 1).labels(0)));
        assertEquals(
                "no column is left for the inputs", refusedChoice(file("y\n1\n").labels("y")));
    }

    @Test
    void aTargetMustBeChosen() throws IOException {
        CsvFile file = file(FLOWERS).inputs("length");
        assertEquals(
                "read: " + folder.resolve("a.csv") + ": no target column was chosen; call targets(…), labels(…) or"
                        + " textLabels(…)",
                assertThrows(IllegalStateException.class, file::read).getMessage());
    }

    @Test
    void aDelimiterCannotBeAQuoteOrALineEnd() throws IOException {
        CsvFile file = file(FLOWERS);
        for (char c : new char[] {'"', '\n', '\r'}) {
            assertThrows(IllegalArgumentException.class, () -> file.delimiter(c));
        }
    }
}
