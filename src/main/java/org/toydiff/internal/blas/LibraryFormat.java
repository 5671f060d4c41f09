package org.toydiff.internal.blas;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Why the dynamic linker refuses a file, in terms of what the file is.
final class LibraryFormat {
    // The identification and the machine of an ELF file: elf(5).
    private static final int ELF = 0x7f454c46;
    private static final int CLASS = 4;
    private static final int CLASS_32 = 1;
    private static final int DATA = 5;
    private static final int DATA_BIG_ENDIAN = 2;
    private static final int MACHINE = 18;
    private static final int HEADER_BYTES = 64;

    private static final Pattern NEEDED = Pattern.compile(
            "(?:^|.*: )([^ :/]+): cannot open shared object file: No such file or directory", Pattern.DOTALL);
    private static final Pattern UNDEFINED = Pattern.compile("undefined symbol: ([^\\s,;]+)");

    private LibraryFormat() {}

    /// Returns the linker's message about a file, without its name, and what it means and the remedy, if that can be
    /// known.
    static String explain(Path file, String message) {
        String name = file + ": ";
        String fault = message.startsWith(name) ? message.substring(name.length()) : message;
        String reason = reason(header(file), message, Artifact.platform());
        return reason == null ? fault : fault + ": " + reason;
    }

    /// Returns the reason by the first bytes of the file and the linker's message, or null if neither has it.
    static String reason(byte[] header, String message, String platform) {
        Matcher needed = NEEDED.matcher(message);
        if (needed.matches()) {
            return "it needs " + needed.group(1) + "; install that, or add its folder to LD_LIBRARY_PATH";
        }
        Matcher undefined = UNDEFINED.matcher(message);
        if (undefined.find()) {
            return "the function is in a library to which it is not linked; give the library that is complete (of oneMKL"
                    + " libmkl_rt)";
        }
        return platform.startsWith("linux") ? ofElf(header, platform) : null;
    }

    private static String ofElf(byte[] header, String platform) {
        String start = new String(header, StandardCharsets.ISO_8859_1);
        if (start.startsWith("/* GNU ld script") || start.startsWith("INPUT") || start.startsWith("GROUP")) {
            return "it is a script for the linker of compilers; give the library that it names";
        }
        if (header.length < HEADER_BYTES || ByteBuffer.wrap(header).getInt() != ELF) {
            return "it is not a shared library of Linux";
        }
        if (header[CLASS] == CLASS_32) {
            return "it is for 32-bit processes; give that for " + platform;
        }
        String machine = machine(header);
        return platform.endsWith("-" + machine) ? null : "it is for " + machine + "; give that for " + platform;
    }

    private static String machine(byte[] header) {
        ByteOrder order = header[DATA] == DATA_BIG_ENDIAN ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
        int machine = ByteBuffer.wrap(header).order(order).getShort(MACHINE);
        return switch (machine) {
            case 21 -> "ppc64";
            case 22 -> "s390x";
            case 62 -> "x86_64";
            case 183 -> "arm64";
            case 243 -> "riscv64";
            default -> "ELF machine " + machine;
        };
    }

    private static byte[] header(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(HEADER_BYTES);
        } catch (IOException e) {
            return new byte[0];
        }
    }
}
