package org.toydiff.internal.blas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Method;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.toydiff.child.Child;
import org.toydiff.internal.lapacke.Lapacke;
import org.toydiff.internal.openblas.OpenBlas;
import org.toydiff.internal.openmpi.OpenMpi;

/// The metadata for GraalVM's native-image lists the library's calls of native functions and its resources.
class ReachabilityMetadataTest {
    private static final Path CLASSES = Path.of(Child.LIBRARY);

    /// aligned_alloc, free and madvise.
    private static final List<String> OF_MEMORY = List.of("void*(long,long)", "void(void*)", "int(void*,long,int)");

    /// MKL_Get_Version_String. The other functions of oneMKL that are called have the types of OpenBLAS's.
    private static final List<String> OF_MKL = List.of("void(void*,int)");

    /// dlopen and dlclose, and the dot product with 64-bit integers. dlerror has the type of openblas_get_config.
    private static final List<String> OF_CANDIDATES =
            List.of("void*(void*,int)", "int(void*)", "float(long,void*,long,void*,long)");

    /// setenv, called before Open MPI is loaded.
    private static final List<String> OF_MPI = List.of("int(void*,void*,int)");

    private static JsonObject metadata() throws Exception {
        String file = "META-INF/native-image/org.toydiff/toydiff/reachability-metadata.json";
        return JsonParser.parseString(Child.read(CLASSES.resolve(file))).getAsJsonObject();
    }

    /// As metadata names it, by the C types of Linux and macOS.
    private static String type(MemoryLayout layout) {
        return layout instanceof AddressLayout
                ? "void*"
                : ((ValueLayout) layout).carrier().getName();
    }

    private static String signature(FunctionDescriptor function) {
        String result =
                function.returnLayout().map(ReachabilityMetadataTest::type).orElse("void");
        List<String> parameters = function.argumentLayouts().stream()
                .map(ReachabilityMetadataTest::type)
                .toList();
        return result + "(" + String.join(",", parameters) + ")";
    }

    /// Of a Java method of bindings, which has the types of its function. Descriptors can be had only once the library
    /// is loaded, and Open MPI is not on every machine.
    private static String signature(Method function) {
        List<String> parameters = Stream.of(function.getParameterTypes())
                .map(ReachabilityMetadataTest::type)
                .toList();
        return type(function.getReturnType()) + "(" + String.join(",", parameters) + ")";
    }

    private static String type(Class<?> carrier) {
        return carrier == MemorySegment.class ? "void*" : carrier.getName();
    }

    private static Stream<Method> functionsOfMpi() {
        Set<String> names =
                Stream.of(OpenMpi.class.getMethods()).map(Method::getName).collect(Collectors.toSet());
        return Stream.of(OpenMpi.class.getMethods()).filter(method -> names.contains(method.getName() + "$descriptor"));
    }

    private static String signature(JsonObject downcall) {
        List<String> parameters = downcall.getAsJsonArray("parameterTypes").asList().stream()
                .map(JsonElement::getAsString)
                .toList();
        return downcall.get("returnType").getAsString() + "(" + String.join(",", parameters) + ")";
    }

    @Test
    void everyFunctionThatIsBoundIsADowncallOfTheMetadata() throws Exception {
        BlasLibrary.path();
        Set<String> bound = new TreeSet<>(OF_MEMORY);
        for (Class<?> bindings : List.of(OpenBlas.class, Lapacke.class)) {
            for (Method method : bindings.getMethods()) {
                if (method.getReturnType() == FunctionDescriptor.class) {
                    bound.add(signature((FunctionDescriptor) method.invoke(null)));
                }
            }
        }
        bound.addAll(OF_MKL);
        bound.addAll(OF_CANDIDATES);
        functionsOfMpi().forEach(function -> bound.add(signature(function)));
        bound.addAll(OF_MPI);
        assertTrue(bound.contains("float(int,void*,int,void*,int)"), "that of cblas_sdot: " + bound);
        assertTrue(bound.contains("int(void*,int,void*,int,void*)"), "that of MPI_Bcast: " + bound);
        Set<String> listed = new TreeSet<>();
        for (JsonElement downcall : metadata().getAsJsonObject("foreign").getAsJsonArray("downcalls")) {
            assertTrue(listed.add(signature(downcall.getAsJsonObject())), "listed twice: " + downcall);
        }
        assertEquals(bound, listed);
    }

    @Test
    void everyResourceIsInTheMetadata() throws Exception {
        List<String> globs = metadata().getAsJsonArray("resources").asList().stream()
                .map(resource -> resource.getAsJsonObject().get("glob").getAsString())
                .toList();
        List<String> read =
                Stream.concat(ownResources(), librariesOfThisPlatform()).toList();
        assertTrue(read.size() > 3, read.toString());
        assertEquals(
                List.of(),
                read.stream()
                        .filter(name -> globs.stream().noneMatch(glob -> matches(glob, name)))
                        .toList());
    }

    private static boolean matches(String glob, String name) {
        return FileSystems.getDefault().getPathMatcher("glob:" + glob).matches(Path.of(name));
    }

    private static Stream<String> ownResources() throws Exception {
        try (Stream<Path> files = Files.walk(CLASSES.resolve("org"))) {
            return files
                    .filter(file ->
                            Files.isRegularFile(file) && !file.toString().endsWith(".class"))
                    .map(file -> CLASSES.relativize(file).toString())
                    .toList()
                    .stream();
        }
    }

    private static Stream<String> librariesOfThisPlatform() throws Exception {
        return Artifact.OPENBLAS.parts().stream().map(part -> Artifact.OPENBLAS.folder() + part.name());
    }
}
