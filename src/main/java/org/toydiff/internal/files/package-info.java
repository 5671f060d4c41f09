/// Files and optional libraries. All packages may use this one although it is not exported, because it touches no
/// tensor.
///
/// | subject | files |
/// |---|---|
/// | files that are written whole or not at all | `AtomicFile` |
/// | exceptions that name their file | `FileErrors` |
/// | writing in an interrupted thread | `Uninterrupted` |
/// | the largest compression factor of gzip files and zip archives | `Deflate` |
/// | pages that load nothing | `HtmlPage`, and the resources `page.html`, `page.css`, `page.js` |
/// | libraries that a program may leave out, and the error that asks for them | `OptionalLibrary` |
package org.toydiff.internal.files;
