// Measures the cost of calling a CBLAS library from C: the counterpart of org.toydiff.bench.blas.Child, with the same
// library, the same operands and the same loop.
//
//   blas LIBRARY THREADS
//
// answers each line on stdin with one line of JSON:
//
//   open ROUTINE VARIANT DTYPE M N K BATCH LD ALIGNMENT      allocates the operands
//   time CALLS SAMPLES                                       times samples of CALLS calls each
//   close                                                    frees the operands
#define _GNU_SOURCE
#include <dlfcn.h>
#include <libgen.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "timing.h"

enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111, TRANSPOSE = 112, LOWER = 122, NON_UNIT = 131, LEFT = 141, RIGHT = 142 };
enum { PAGE = 4096, MAX_SAMPLES = 10000 };

#define ALPHA 0x1p-10
#define SCAL_ALPHA (-1)
#define NOTHING 1e-20

typedef struct {
    int count, rows, columns;
} shape;

// The operands in the order of the call, and its other arguments.
static struct {
    char routine[32], variant[8];
    int wide, m, n, k, batch, ld, alignment;
    int operands;
    shape shapes[3];
    int leading[3];
    char *blocks[3];
    void *at[3];
    void *function;
} p;

static void *library;
static volatile double scalar;

// The libraries that it links to are in the same folder, which the dynamic linker does not search.
static void load_siblings(const char *path) {
    static const char *const names[] = {"libgcc_s.so.1",       "libquadmath.so.0",    "libgfortran.so.5",
                                        "libgcc_s.1.1.dylib", "libquadmath.0.dylib", "libgfortran.5.dylib"};
    char *copy = strdup(path);
    const char *folder = dirname(copy);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char sibling[4096];
        snprintf(sibling, sizeof sibling, "%s/%s", folder, names[i]);
        dlopen(sibling, RTLD_NOW | RTLD_GLOBAL);
    }
    free(copy);
}

static void load(const char *path, int threads) {
    load_siblings(path);
    library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "blas: %s\n", dlerror());
        exit(1);
    }
    void (*set_threads)(int);
    *(void **) &set_threads = dlsym(library, "openblas_set_num_threads");
    if (set_threads != NULL) {
        set_threads(threads);
    }
}

static int is(const char *routine) {
    return strcmp(p.routine, routine) == 0;
}

// ---- the timed loops: one per routine and dtype ----

#define REPEAT(call)                                                                                                   \
    for (int i = 0; i < calls; i++) {                                                                                  \
        call;                                                                                                          \
    }

#define LOOPS(T, prefix)                                                                                               \
    typedef void (*prefix##axpy_t)(int, T, const T *, int, T *, int);                                                  \
    typedef T (*prefix##dot_t)(int, const T *, int, const T *, int);                                                   \
    typedef T (*prefix##nrm2_t)(int, const T *, int);                                                                  \
    typedef void (*prefix##scal_t)(int, T, T *, int);                                                                  \
    typedef void (*prefix##copy_t)(int, const T *, int, T *, int);                                                     \
    typedef void (*prefix##gemv_t)(int, int, int, int, T, const T *, int, const T *, int, T, T *, int);                \
    typedef void (*prefix##ger_t)(int, int, int, T, const T *, int, const T *, int, T *, int);                         \
    typedef void (*prefix##gemm_t)(int, int, int, int, int, int, T, const T *, int, const T *, int, T, T *, int);      \
    typedef void (*prefix##batch_t)(int, int, int, int, int, int, T, const T *, int, int, const T *, int, int, T,      \
                                    T *, int, int, int);                                                               \
    typedef void (*prefix##syrk_t)(int, int, int, int, int, T, const T *, int, T, T *, int);                           \
    typedef void (*prefix##trsm_t)(int, int, int, int, int, int, int, T, const T *, int, T *, int);                    \
                                                                                                                       \
    static void prefix##loop(int calls) {                                                                              \
        int m = p.m, n = p.n, k = p.k, lda = p.leading[0], ldb = p.leading[1], ldc = p.leading[2];                     \
        int t0 = p.variant[0] == 'T' ? TRANSPOSE : NO_TRANSPOSE, t1 = p.variant[1] == 'T' ? TRANSPOSE : NO_TRANSPOSE;  \
        T *a = p.at[0], *b = p.at[1], *c = p.at[2];                                                                    \
        if (is("axpy")) {                                                                                              \
            prefix##axpy_t f = (prefix##axpy_t) p.function;                                                            \
            REPEAT(f(n, (T) ALPHA, a, 1, b, 1))                                                                        \
        } else if (is("dot")) {                                                                                        \
            prefix##dot_t f = (prefix##dot_t) p.function;                                                              \
            REPEAT(scalar = f(n, a, 1, b, 1))                                                                          \
        } else if (is("nrm2")) {                                                                                       \
            prefix##nrm2_t f = (prefix##nrm2_t) p.function;                                                            \
            REPEAT(scalar = f(n, a, 1))                                                                                \
        } else if (is("scal")) {                                                                                       \
            prefix##scal_t f = (prefix##scal_t) p.function;                                                            \
            REPEAT(f(n, SCAL_ALPHA, a, 1))                                                                             \
        } else if (is("copy")) {                                                                                       \
            prefix##copy_t f = (prefix##copy_t) p.function;                                                            \
            REPEAT(f(n, a, 1, b, 1))                                                                                   \
        } else if (is("gemv")) {                                                                                       \
            prefix##gemv_t f = (prefix##gemv_t) p.function;                                                            \
            REPEAT(f(ROW_MAJOR, t0, m, n, 1, a, lda, b, 1, 0, c, 1))                                                   \
        } else if (is("ger")) {                                                                                        \
            prefix##ger_t f = (prefix##ger_t) p.function;                                                              \
            REPEAT(f(ROW_MAJOR, m, n, (T) ALPHA, a, 1, b, 1, c, ldc))                                                  \
        } else if (is("gemm")) {                                                                                       \
            prefix##gemm_t f = (prefix##gemm_t) p.function;                                                            \
            REPEAT(f(ROW_MAJOR, t0, t1, m, n, k, 1, a, lda, b, ldb, 0, c, ldc))                                        \
        } else if (is("gemm_batch")) {                                                                                 \
            prefix##gemm_t f = (prefix##gemm_t) p.function;                                                            \
            size_t sa = (size_t) lda * p.shapes[0].rows, sb = (size_t) ldb * p.shapes[1].rows, sc = (size_t) ldc * m;  \
            REPEAT(for (int j = 0; j < p.batch; j++)                                                                   \
                       f(ROW_MAJOR, t0, t1, m, n, k, 1, a + j * sa, lda, b + j * sb, ldb, 0, c + j * sc, ldc))         \
        } else if (is("gemm_batch_strided")) {                                                                                 \
            prefix##batch_t f = (prefix##batch_t) p.function;                                                          \
            int sa = lda * p.shapes[0].rows, sb = ldb * p.shapes[1].rows, sc = ldc * m;                                \
            REPEAT(f(ROW_MAJOR, t0, t1, m, n, k, 1, a, lda, sa, b, ldb, sb, 0, c, ldc, sc, p.batch))                   \
        } else if (is("syrk")) {                                                                                       \
            prefix##syrk_t f = (prefix##syrk_t) p.function;                                                            \
            REPEAT(f(ROW_MAJOR, LOWER, t0, n, k, 1, a, lda, 0, b, ldb))                                                \
        } else {                                                                                                       \
            prefix##trsm_t f = (prefix##trsm_t) p.function;                                                            \
            int side = p.variant[0] == 'L' ? LEFT : RIGHT;                                                             \
            REPEAT(f(ROW_MAJOR, side, LOWER, t1, NON_UNIT, m, n, 1, a, lda, b, ldb))                                   \
        }                                                                                                              \
    }

LOOPS(float, s)
LOOPS(double, d)

// ---- operands ----

static shape matrix(int count, int rows, int columns, int transposed) {
    return transposed ? (shape) {count, columns, rows} : (shape) {count, rows, columns};
}

static void lay_out(void) {
    int t0 = p.variant[0] == 'T', t1 = p.variant[1] == 'T', order = p.variant[0] == 'L' ? p.m : p.n;
    shape row_m = {1, 1, p.m}, row_n = {1, 1, p.n};
    shape *s = p.shapes;
    if (is("nrm2") || is("scal")) {
        p.operands = 1, s[0] = row_n;
    } else if (is("axpy") || is("dot") || is("copy")) {
        p.operands = 2, s[0] = row_n, s[1] = row_n;
    } else if (is("gemv")) {
        p.operands = 3, s[0] = matrix(1, p.m, p.n, 0), s[1] = t0 ? row_m : row_n, s[2] = t0 ? row_n : row_m;
    } else if (is("ger")) {
        p.operands = 3, s[0] = row_m, s[1] = row_n, s[2] = matrix(1, p.m, p.n, 0);
    } else if (is("gemm") || is("gemm_batch") || is("gemm_batch_strided")) {
        p.operands = 3, s[0] = matrix(p.batch, p.m, p.k, t0), s[1] = matrix(p.batch, p.k, p.n, t1);
        s[2] = matrix(p.batch, p.m, p.n, 0);
    } else if (is("syrk")) {
        p.operands = 2, s[0] = matrix(1, p.n, p.k, t0), s[1] = matrix(1, p.n, p.n, 0);
    } else {
        p.operands = 2, s[0] = matrix(1, order, order, 0), s[1] = matrix(1, p.m, p.n, 0);
    }
}

static double initial(int operand, int64_t position) {
    uint32_t fraction = (uint32_t) ((uint64_t) position * 2246822519u + (uint64_t) operand * 668265263u);
    return fraction / 4294967296.0 - 0.5;
}

static void fill(int operand) {
    shape s = p.shapes[operand];
    int triangular = is("trsm") && operand == 0;
    for (int64_t i = 0; i < (int64_t) s.count * s.rows; i++) {
        for (int64_t j = 0; j < s.columns; j++) {
            double value = initial(operand, i * s.columns + j);
            if (triangular) {
                value = i == j ? 1 : NOTHING * value;
            }
            int64_t at = i * p.leading[operand] + j;
            if (p.wide) {
                ((double *) p.at[operand])[at] = value;
            } else {
                ((float *) p.at[operand])[at] = (float) value;
            }
        }
    }
}

static int allocate(int operand) {
    shape s = p.shapes[operand];
    int is_vector = s.rows == 1 && s.count == 1;
    p.leading[operand] = is_vector ? s.columns : p.ld > 0 ? p.ld : s.columns - p.ld;
    size_t bytes = (size_t) s.count * (size_t) s.rows * (size_t) p.leading[operand] * (p.wide ? 8 : 4);
    p.blocks[operand] = aligned_alloc(PAGE, (bytes + 2 * PAGE - 1) / PAGE * PAGE);
    if (p.blocks[operand] == NULL) {
        return 0;
    }
    p.at[operand] = p.blocks[operand] + p.alignment % PAGE;
    memset(p.at[operand], 0, bytes);
    fill(operand);
    return 1;
}

static void close_operands(void) {
    for (int i = 0; i < 3; i++) {
        free(p.blocks[i]);
        p.blocks[i] = NULL;
    }
}

static void open_operands(void) {
    char symbol[64];
    snprintf(symbol, sizeof symbol, "cblas_%c%s", p.wide ? 'd' : 's', is("gemm_batch") ? "gemm" : p.routine);
    p.function = dlsym(library, symbol);
    if (p.function == NULL) {
        printf("{\"lacks\": \"%s\"}\n", symbol);
        return;
    }
    lay_out();
    for (int i = 0; i < p.operands; i++) {
        if (!allocate(i)) {
            close_operands();
            printf("{\"error\": \"no memory\"}\n");
            return;
        }
    }
    printf("{}\n");
}

static void time_calls(int calls, int samples) {
    static double times_us[MAX_SAMPLES];
    for (int sample = 0; sample < samples; sample++) {
        double start = now_us();
        if (p.wide) {
            dloop(calls);
        } else {
            sloop(calls);
        }
        times_us[sample] = (now_us() - start) / calls;
    }
    print_times(times_us, samples);
}

static void answer(const char *line) {
    char dtype[8];
    int calls, samples;
    if (strncmp(line, "hello", 5) == 0) {
        printf("{}\n");
    } else if (sscanf(line, "open %31s %7s %7s %d %d %d %d %d %d", p.routine, p.variant, dtype, &p.m, &p.n, &p.k, &p.batch,
                      &p.ld, &p.alignment)
               == 9) {
        p.wide = strcmp(dtype, "double") == 0;
        open_operands();
    } else if (sscanf(line, "time %d %d", &calls, &samples) == 2 && calls > 0 && samples > 0 && samples <= MAX_SAMPLES
               && p.blocks[0] != NULL) {
        time_calls(calls, samples);
    } else if (strncmp(line, "close", 5) == 0) {
        close_operands();
        printf("{}\n");
    } else {
        printf("{\"error\": \"blas does not understand the request\"}\n");
    }
    fflush(stdout);
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: blas LIBRARY THREADS\n");
        return 2;
    }
    // An interrupt reaches the parent too, which ends this program after writing the results it has.
    signal(SIGINT, SIG_IGN);
    load(arguments[1], atoi(arguments[2]));
    char line[256];
    while (fgets(line, sizeof line, stdin) != NULL) {
        answer(line);
    }
    return 0;
}
