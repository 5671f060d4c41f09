package org.toydiff.child;

import java.lang.management.ManagementFactory;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.management.ObjectName;

/// Loads the library by several class loaders, and prints the result of each and the number of dropped loaders that
/// were collected.
public final class Loaders {
    private Loaders() {}

    /// Prints a line for each loader.
    ///
    /// @param arguments `jmx` to have an MBean server, `drop` to drop all but the last loader, or `redeploy` to replace
    ///     one of two applications four times; then the class path of each loader
    public static void main(String[] arguments) throws Exception {
        List<String> all = List.of(arguments);
        if (all.contains("redeploy")) {
            redeploy(all.getLast());
            return;
        }
        if (all.contains("jmx")) {
            ManagementFactory.getPlatformMBeanServer();
        }
        String classPath = all.getLast();
        List<WeakReference<ClassLoader>> dropped = new ArrayList<>();
        URLClassLoader kept = loader(classPath);
        System.out.println(multiplied(kept));
        for (int i = 0; i < 3; i++) {
            dropped.add(used(classPath));
        }
        if (all.contains("jmx")) {
            unregister();
        }
        if (all.contains("drop")) {
            dropped.add(new WeakReference<>(kept));
            kept.close();
            kept = null;
            dropped.add(used(classPath));
        }
        if (all.contains("jmx")) {
            unregister();
        }
        System.out.println("dropped " + dropped.size() + ", collected " + collected(dropped));
        System.out.println(kept == null ? multiplied(loader(classPath)) : multiplied(kept));
    }

    private static WeakReference<ClassLoader> used(String classPath) throws Exception {
        try (URLClassLoader loader = loader(classPath)) {
            System.out.println(multiplied(loader));
            return new WeakReference<>(loader);
        }
    }

    /// Replaces an application while another runs, on a thread that outlives each.
    private static void redeploy(String classPath) throws Exception {
        List<WeakReference<ClassLoader>> dropped = new ArrayList<>();
        try (var server = Executors.newSingleThreadExecutor();
                URLClassLoader loader = loader(classPath);
                var other = (AutoCloseable) created(loader, Deployed.class)) {
            for (int i = 0; i < 4; i++) {
                dropped.add(deployed(server, classPath));
                System.out.println(server.submit((Callable<?>) other).get());
            }
            System.out.println("dropped " + dropped.size() + ", collected " + collected(dropped));
            System.out.println(server.submit((Callable<?>) other).get());
        }
    }

    private static WeakReference<ClassLoader> deployed(ExecutorService server, String classPath) throws Exception {
        try (URLClassLoader loader = loader(classPath);
                var application = (AutoCloseable) created(loader, Deployed.class)) {
            System.out.println(server.submit((Callable<?>) application).get());
            return new WeakReference<>(loader);
        }
    }

    private static URLClassLoader loader(String classPath) throws Exception {
        List<URL> urls = new ArrayList<>();
        for (String entry : classPath.split(java.io.File.pathSeparator)) {
            urls.add(Path.of(entry).toUri().toURL());
        }
        return new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
    }

    private static Object multiplied(ClassLoader loader) throws Exception {
        return ((Callable<?>) created(loader, Multiplied.class)).call();
    }

    private static Object created(ClassLoader loader, Class<?> program) throws Exception {
        return loader.loadClass(program.getName()).getConstructor().newInstance();
    }

    private static void unregister() throws Exception {
        var server = ManagementFactory.getPlatformMBeanServer();
        for (ObjectName name : server.queryNames(new ObjectName("org.toydiff:type=Memory,*"), null)) {
            boolean first = name.getKeyProperty("loader") == null;
            System.out.println((first ? "bean" : "bean of another loader") + " "
                    + ((Long) server.getAttribute(name, "PeakBytes") >= 512 * 512 * 4));
            server.unregisterMBean(name);
        }
    }

    /// The number of loaders that are collected, within the time for which idle threads may live.
    private static long collected(List<WeakReference<ClassLoader>> dropped) throws InterruptedException {
        long gone = 0;
        for (int i = 0; i < 300 && gone < dropped.size(); i++) {
            System.gc();
            Thread.sleep(100);
            gone = dropped.stream().filter(loader -> loader.get() == null).count();
        }
        return gone;
    }
}
