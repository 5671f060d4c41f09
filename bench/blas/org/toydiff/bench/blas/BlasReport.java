package org.toydiff.bench.blas;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The results so far. One thread adds to them while another, on an interrupt, may read them.
final class BlasReport {
    final Map<String, String> machine;
    private final List<Library> libraries = new ArrayList<>();
    private final List<Roof> roofs = new ArrayList<>();
    private final List<Result> results = new ArrayList<>();
    private final List<Result> smallest = new ArrayList<>();
    private final Set<String> notes = new LinkedHashSet<>();

    BlasReport(Map<String, String> machine) {
        this.machine = machine;
    }

    synchronized void add(Library library) {
        libraries.add(library);
    }

    synchronized void add(Roof roof) {
        roofs.add(roof);
    }

    synchronized void add(Result result) {
        results.add(result);
    }

    /// Adds a result of a smallest problem, which gives the overhead of a call and is not a row of the table.
    synchronized void addSmallest(Result result) {
        smallest.add(result);
    }

    synchronized void note(String note) {
        notes.add(note);
    }

    synchronized List<Library> libraries() {
        return List.copyOf(libraries);
    }

    synchronized List<Roof> roofs() {
        return List.copyOf(roofs);
    }

    synchronized Roof roof(int threads) {
        return roofs.stream()
                .filter(roof -> roof.threads() == threads)
                .findFirst()
                .orElseThrow();
    }

    synchronized List<Result> results() {
        return List.copyOf(results);
    }

    synchronized List<Result> smallest() {
        return List.copyOf(smallest);
    }

    synchronized List<String> notes() {
        return List.copyOf(notes);
    }
}
