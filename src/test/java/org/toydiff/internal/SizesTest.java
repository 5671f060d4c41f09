package org.toydiff.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;

/// Sizes as the JVM's own flags take them.
class SizesTest {
    @Test
    void limitsAreReadAsTheJvmReadsThem() {
        assertEquals(8L << 30, JvmOptions.bytes("8g"));
        assertEquals(512L << 20, JvmOptions.bytes("512m"));
        assertEquals(2L << 40, JvmOptions.bytes("2t"));
        assertEquals(100, JvmOptions.bytes("100"));
        for (String wrong : new String[] {"", "g", "-1", "8gb", "0", "99999999999g", "9223372036854775808"}) {
            assertNull(JvmOptions.bytes(wrong), wrong);
        }
    }
}
