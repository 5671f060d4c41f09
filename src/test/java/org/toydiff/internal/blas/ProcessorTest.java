package org.toydiff.internal.blas;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The vendor in descriptions as Linux writes them.
class ProcessorTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"GenuineIntel, true", "AuthenticAMD, false", "HygonGenuine, false"})
    void theVendorIsRead(String vendor, boolean intel) throws Exception {
        String description = """
                processor\t: 0
                vendor_id\t: %s
                model name\t: GenuineIntel compatible

                processor\t: 1
                vendor_id\t: %s
                """.formatted(vendor, vendor);
        assertEquals(intel, Processor.isIntel(Files.writeString(folder.resolve("cpuinfo"), description)));
    }

    @Test
    void aProcessorThatIsNotDescribedIsNotIntels() throws Exception {
        assertEquals(false, Processor.isIntel(folder.resolve("none")));
        assertEquals(false, Processor.isIntel(Files.writeString(folder.resolve("arm"), "CPU implementer\t: 0x41\n")));
    }
}
