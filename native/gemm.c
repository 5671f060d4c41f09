// Measures the cost of a product from C: a peer that times cblas_sgemm of the same library that toydiff loaded.
//
//   gemm LIBRARY
//
// answers each line "gemm ORDER M N K THREADS SAMPLES [ROWS COLUMNS DEPTH]" on stdin with one line of JSON. ORDER is
// NN, NT, TN or TT: which operands are stored with rows and columns exchanged. With the last three, the product is cut
// into pieces of that size, one call each, which add onto the result. The argument is the path that Blas.library()
// returns.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <libgen.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "timing.h"

enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111, TRANSPOSE = 112, MAX_SAMPLES = 10000 };

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

static float *matrix(int rows, int columns) {
    size_t elements = (size_t) rows * (size_t) columns;
    float *x = aligned_alloc(64, (elements * sizeof *x + 63) / 64 * 64);
    for (size_t i = 0; i < elements; i++) {
        x[i] = (float) ((uint32_t) (i * 2246822519u) / 4294967296.0);
    }
    return x;
}

typedef struct {
    int transpose_a, transpose_b, m, n, k;
    int rows, columns, depth; // of a piece
} product;

static int least(int x, int y) {
    return x < y ? x : y;
}

static void multiply(const product *p, const float *a, const float *b, float *c) {
    size_t lda = (size_t) (p->transpose_a ? p->m : p->k), ldb = (size_t) (p->transpose_b ? p->k : p->n);
    for (int i = 0; i < p->m; i += p->rows) {
        for (int j = 0; j < p->n; j += p->columns) {
            for (int l = 0; l < p->k; l += p->depth) {
                const float *x = p->transpose_a ? a + (size_t) l * lda + i : a + (size_t) i * lda + l;
                const float *y = p->transpose_b ? b + (size_t) j * ldb + l : b + (size_t) l * ldb + j;
                sgemm(ROW_MAJOR, p->transpose_a ? TRANSPOSE : NO_TRANSPOSE, p->transpose_b ? TRANSPOSE : NO_TRANSPOSE,
                      least(p->rows, p->m - i), least(p->columns, p->n - j), least(p->depth, p->k - l), 1, x,
                      (int) lda, y, (int) ldb, l > 0, c + (size_t) i * (size_t) p->n + j, p->n);
            }
        }
    }
}

// Returns the number of products in a sample of about a millisecond; ToydiffProduct computes the same number.
static int calls_per_sample(const product *p) {
    double calls = 1e8 / ((double) p->m * p->n * p->k);
    return calls < 1 ? 1 : calls > 10000 ? 10000 : (int) calls;
}

static void time_products(const product *p, int threads, int samples, double *times_us) {
    float *a = matrix(p->m, p->k), *b = matrix(p->k, p->n), *c = matrix(p->m, p->n);
    int calls = calls_per_sample(p);
    set_threads(threads);
    for (int sample = -2; sample < samples; sample++) {
        double start = now_us();
        for (int i = 0; i < calls; i++) {
            multiply(p, a, b, c);
        }
        if (sample >= 0) {
            times_us[sample] = (now_us() - start) / calls;
        }
    }
    free(a);
    free(b);
    free(c);
}

static int parse(const char *line, product *p, int *threads, int *samples) {
    char order[3];
    int read = sscanf(line, "gemm %2s %d %d %d %d %d %d %d %d", order, &p->m, &p->n, &p->k, threads, samples, &p->rows,
                      &p->columns, &p->depth);
    if (read == 6) {
        p->rows = p->m;
        p->columns = p->n;
        p->depth = p->k;
    } else if (read != 9) {
        return 0;
    }
    p->transpose_a = order[0] == 'T';
    p->transpose_b = order[1] == 'T';
    return p->m > 0 && p->n > 0 && p->k > 0 && *threads > 0 && *samples > 0 && *samples <= MAX_SAMPLES && p->rows > 0
           && p->columns > 0 && p->depth > 0;
}

static void answer(const char *line) {
    static double times_us[MAX_SAMPLES];
    product p;
    int threads, samples;
    if (strncmp(line, "hello", 5) == 0) {
        printf("{\"name\": \"C\", \"version\": \"%s\", \"workloads\": [\"gemm\"]}\n", config());
    } else if (parse(line, &p, &threads, &samples)) {
        time_products(&p, threads, samples, times_us);
        print_times(times_us, samples);
    } else {
        printf("{\"error\": \"ask: gemm ORDER M N K THREADS SAMPLES [ROWS COLUMNS DEPTH]\"}\n");
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
