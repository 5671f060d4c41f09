// Measures the cost of a product from C: a peer that times cblas_sgemm of the same library that toydiff loaded.
//
//   gemm LIBRARY
//
// answers each line "gemm N THREADS SAMPLES" on stdin with one line of JSON. The argument is the path that
// Blas.library() returns.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <libgen.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "timing.h"

enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111, MAX_SAMPLES = 10000 };

typedef void (*sgemm_function)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                               const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc);

static sgemm_function sgemm;
static void (*set_threads)(int);
static char *(*config)(void);

// The libraries that it links to are in the same folder, which the dynamic linker does not search.
static void load_siblings(const char *library) {
    static const char *const names[] = {"libgcc_s.so.1",       "libquadmath.so.0",       "libgfortran.so.5",
                                        "libgcc_s.1.1.dylib", "libquadmath.0.dylib", "libgfortran.5.dylib"};
    char *copy = strdup(library);
    const char *folder = dirname(copy);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    }
    free(copy);
}

static void load(const char *library) {
    load_siblings(library);
    void *handle = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
    if (handle == NULL) {
        fprintf(stderr, "gemm: %s\n", dlerror());
        exit(1);
    }
    *(void **) &sgemm = dlsym(handle, "cblas_sgemm");
    *(void **) &set_threads = dlsym(handle, "openblas_set_num_threads");
    *(void **) &config = dlsym(handle, "openblas_get_config");
    if (sgemm == NULL || set_threads == NULL || config == NULL) {
        fprintf(stderr, "gemm: %s is no OpenBLAS\n", library);
        exit(1);
    }
}

static float *matrix(int n) {
    size_t elements = (size_t) n * (size_t) n;
    float *x = aligned_alloc(64, (elements * sizeof *x + 63) / 64 * 64);
    for (size_t i = 0; i < elements; i++) {
        x[i] = (float) ((uint32_t) (i * 2246822519u) / 4294967296.0);
    }
    return x;
}

// Returns the number of products in a sample of about a millisecond; ToydiffGemm computes the same number.
static int calls_per_sample(int n) {
    double calls = 1e8 / ((double) n * n * n);
    return calls < 1 ? 1 : calls > 10000 ? 10000 : (int) calls;
}

static void time_products(int n, int threads, int samples, double *times_us) {
    float *a = matrix(n), *b = matrix(n), *c = matrix(n);
    int calls = calls_per_sample(n);
    set_threads(threads);
    for (int sample = -2; sample < samples; sample++) {
        double start = now_us();
        for (int i = 0; i < calls; i++) {
            sgemm(ROW_MAJOR, NO_TRANSPOSE, NO_TRANSPOSE, n, n, n, 1, a, n, b, n, 0, c, n);
        }
        if (sample >= 0) {
            times_us[sample] = (now_us() - start) / calls;
        }
    }
    free(a);
    free(b);
    free(c);
}

static void answer(const char *line) {
    static double times_us[MAX_SAMPLES];
    int n, threads, samples;
    if (strncmp(line, "hello", 5) == 0) {
        printf("{\"name\": \"C\", \"version\": \"%s\", \"workloads\": [\"gemm\"]}\n", config());
    } else if (sscanf(line, "gemm %d %d %d", &n, &threads, &samples) == 3 && n > 0 && threads > 0 && samples > 0
               && samples <= MAX_SAMPLES) {
        time_products(n, threads, samples, times_us);
        print_times(times_us, samples);
    } else {
        printf("{\"error\": \"ask: gemm N THREADS SAMPLES\"}\n");
    }
    fflush(stdout);
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: gemm LIBRARY\n");
        return 2;
    }
    load(arguments[1]);
    char line[256];
    while (fgets(line, sizeof line, stdin) != NULL) {
        answer(line);
    }
    return 0;
}
