package org.toydiff.internal.files;

/// A limit of the deflate format, of gzip files and zip archives.
public final class Deflate {
    /// The largest compression factor: https://zlib.net/zlib_tech.html, "Maximum Compression Factor". Data that claims
    /// a larger one is damaged.
    public static final long MAX_COMPRESSION = 1032;

    private Deflate() {}
}
