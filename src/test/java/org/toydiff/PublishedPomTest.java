package org.toydiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPath;
import javax.xml.xpath.XPathConstants;
import javax.xml.xpath.XPathFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.toydiff.child.Child;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/// The POM that is published says the same to Maven and to Gradle, which knows neither profiles by platform nor the
/// parent's build, and has the entries that Maven Central requires
/// (https://central.sonatype.org/publish/requirements/).
class PublishedPomTest {
    private static final Path FILE =
            Path.of(System.getProperty("toydiff.test.classes")).resolveSibling("flattened-pom.xml");
    private static final XPath XPATH = XPathFactory.newInstance().newXPath();

    private static Node project;

    @BeforeAll
    static void parse() throws Exception {
        project = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(FILE.toFile())
                .getDocumentElement();
    }

    private static String text(String path, Node of) throws Exception {
        return XPATH.evaluate("normalize-space(" + path + ")", of);
    }

    private static List<Node> nodes(String path) throws Exception {
        var found = (NodeList) XPATH.evaluate(path, project, XPathConstants.NODESET);
        List<Node> nodes = new ArrayList<>();
        for (int i = 0; i < found.getLength(); i++) {
            nodes.add(found.item(i));
        }
        return nodes;
    }

    @Test
    void itHasNoPropertyAndNothingOfTheBuild() throws Exception {
        assertFalse(Child.read(FILE).contains("${"), "every property is replaced by its value");
        Set<String> elements = new TreeSet<>();
        nodes("*").forEach(node -> elements.add(node.getNodeName()));
        assertEquals(
                Set.of(
                        "modelVersion",
                        "groupId",
                        "artifactId",
                        "version",
                        "name",
                        "description",
                        "url",
                        "licenses",
                        "developers",
                        "scm",
                        "dependencies"),
                elements);
    }

    @Test
    void oneDependencyIsAddedToAnApplicationAndTheOthersAreOptional() throws Exception {
        List<String> dependencies = new ArrayList<>();
        for (Node dependency : nodes("dependencies/dependency")) {
            List<String> words = new ArrayList<>();
            for (String element : List.of("groupId", "artifactId", "classifier", "scope", "optional")) {
                words.add(text(element, dependency));
            }
            dependencies.add(String.join(" ", words).replaceAll(" +", " ").strip());
            assertFalse(text("version", dependency).isEmpty(), words.toString());
        }
        assertEquals(
                List.of(
                        "org.bytedeco openblas linux-x86_64 runtime",
                        "com.google.code.gson gson compile true",
                        "org.webjars.npm echarts runtime true",
                        "me.tongfei progressbar compile true",
                        "de.siegmar fastcsv compile true"),
                dependencies);
    }

    @Test
    void openBlasComesWithoutItsOwnDependencies() throws Exception {
        assertEquals(
                1,
                nodes("dependencies/dependency[artifactId='openblas']/exclusions/exclusion"
                                + "[groupId='*' and artifactId='*']")
                        .size());
    }

    @Test
    void theDependencyInTheReadmeIsTheOneThatIsPublished() throws Exception {
        String readme = Child.read(Path.of(System.getProperty("toydiff.test.basedir"), "README.md"));
        String version = text("dependencies/dependency[artifactId='openblas']/version", project);
        assertEquals(
                List.of(),
                List.of(
                                "<artifactId>toydiff</artifactId><version>" + text("version", project) + "</version>",
                                "org.toydiff:toydiff:" + text("version", project),
                                "org.bytedeco:openblas:" + version)
                        .stream()
                        .filter(line -> !readme.contains(line))
                        .toList());
    }

    @Test
    void mavenCentralFindsEverythingItRequires() throws Exception {
        for (String element : List.of(
                "name",
                "description",
                "url",
                "licenses/license/name",
                "licenses/license/url",
                "developers/developer/name",
                "developers/developer/url",
                "scm/connection",
                "scm/developerConnection",
                "scm/url")) {
            assertFalse(text(element, project).isEmpty(), element);
        }
    }
}
