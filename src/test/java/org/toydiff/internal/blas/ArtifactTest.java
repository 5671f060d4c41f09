package org.toydiff.internal.blas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.toydiff.child.Child;

/// The platforms and versions of the artifacts, by the values of `os.name` and `os.arch` that JDKs have.
class ArtifactTest {
    @ParameterizedTest
    @CsvSource({
        "Linux, amd64, linux-x86_64",
        "Linux, aarch64, linux-arm64",
        "Mac OS X, aarch64, macosx-arm64",
        "Mac OS X, x86_64, macosx-x86_64",
        "Windows 11, amd64, windows-x86_64",
        "Windows Server 2025, amd64, windows-x86_64"
    })
    void aPlatformIsItsClassifier(String name, String architecture, String classifier) {
        assertEquals(classifier, Artifact.platform(name, architecture));
        assertTrue(Artifact.OPENBLAS.platforms.contains(classifier));
    }

    @Test
    void theVersionNamedIsTheOneThatIsPublished() throws IOException {
        String pom = Child.read(Path.of(Child.LIBRARY).resolveSibling("flattened-pom.xml"));
        assertTrue(
                pom.contains("<artifactId>openblas</artifactId>\n      <version>" + Artifact.OPENBLAS.version + "<"));
    }

    @Test
    void theMklOfTheTestsIsTheOneThatIsDocumented() throws IOException {
        Path base = Path.of(System.getProperty("toydiff.test.basedir"));
        String version = Artifact.MKL.version;
        assertTrue(Child.read(base.resolve("pom.xml")).contains("<mkl.version>" + version + "</mkl.version>"));
        assertTrue(Child.read(base.resolve("README.md")).contains("org.bytedeco:mkl:" + version + ":"));
        String guide = Child.read(base.resolve("src/site/markdown/blas.md"));
        assertTrue(guide.contains("<artifactId>mkl</artifactId><version>" + version + "</version>"));
    }

    @Test
    void classifiersDoNotDependOnTheLocale() {
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.of("tr"));
            assertEquals("linux-x86_64", Artifact.platform("LINUX", "amd64"));
        } finally {
            Locale.setDefault(before);
        }
    }

    @ParameterizedTest
    @CsvSource({"FreeBSD, amd64, freebsd-x86_64", "Linux, riscv64, linux-riscv64", "Windows 11, aarch64, windows-arm64"
    })
    void aPlatformWithoutArtifactIsNotToldToAddOne(String name, String architecture, String platform) {
        assertEquals(platform, Artifact.platform(name, architecture));
        assertEquals("", Artifact.OPENBLAS.remedy(platform));
    }

    @Test
    void theRemedyCanBeCopiedIntoABuildOfMavenAndOfGradle() {
        assertEquals(
                List.of(
                        "  add the OpenBLAS of linux-arm64 to the class path or the module path, by Maven:",
                        "    <dependency>",
                        "      <groupId>org.bytedeco</groupId><artifactId>openblas</artifactId><version>0.3.31-1.5.13</version>",
                        "      <classifier>linux-arm64</classifier><scope>runtime</scope>",
                        "    </dependency>",
                        "  or by Gradle:",
                        "    runtimeOnly(\"org.bytedeco:openblas:0.3.31-1.5.13:linux-arm64@jar\")"),
                Artifact.OPENBLAS.remedy("linux-arm64").lines().toList());
    }
}
