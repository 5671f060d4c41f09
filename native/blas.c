// Measures the cost of calling a CBLAS library from C: the counterpart of org.toydiff.bench.blas.Child, with the same
// library, the same operands and the same loop.
//
//   blas LIBRARY THREADS
//
// answers each line on stdin with one line of JSON:
//
//   open ROUTINE VARIANT DTYPE M N K BATCH LD ALIGNMENT SYMBOL   allocates the operands
//   time CALLS SAMPLES                                           times samples of CALLS calls each
//   close                                                        frees the operands
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
enum { PACKED = 151, B_MATRIX = 162, COLUMN_MAJOR = 102 };
enum { PAGE = 4096, MAX_SAMPLES = 10000, MAX_OPERANDS = 4 };

#define ALPHA 0x1p-10
#define SCAL_ALPHA (-1)
#define NOTHING 1e-20

typedef struct {
    int count, rows, columns;
} shape;

// The operands in the order of the call, and its other arguments.
static struct {
    char routine[32], variant[8], symbol[64];
    int wide, m, n, k, batch, ld, alignment;
    int operands;
    shape shapes[MAX_OPERANDS];
    int leading[MAX_OPERANDS];
    char *blocks[MAX_OPERANDS];
    void *at[MAX_OPERANDS];
    // The operands from the first on that a call destroys, with their first contents.
    int consumed;
    void *originals[MAX_OPERANDS];
    // The pivots of gesv, or a packed matrix.
    void *work;
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
    // oneMKL expects the functions of libm in its process, as in a JVM.
    dlopen("libm.so.6", RTLD_NOW | RTLD_GLOBAL);
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

static int is_product(void) {
    return strncmp(p.routine, "gemm", 4) == 0;
}

static size_t element_bytes(int operand) {
    return is("gemm_bf16") && operand < 2 ? 2 : p.wide ? 8 : 4;
}

static size_t operand_bytes(int operand) {
    shape s = p.shapes[operand];
    return (size_t) s.count * (size_t) s.rows * (size_t) p.leading[operand] * element_bytes(operand);
}

static void restore(void) {
    for (int i = 0; i < p.consumed; i++) {
        memcpy(p.at[i], p.originals[i], operand_bytes(i));
    }
    // Keeps the compiler from dropping a copy that the next one replaces.
    __asm__ volatile("" ::: "memory");
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
    typedef int (*prefix##gesv_t)(int, int, int, T *, int, int *, T *, int);                                           \
    typedef int (*prefix##potrf_t)(int, char, int, T *, int);                                                          \
    typedef int (*prefix##geqrf_t)(int, int, int, T *, int, T *);                                                      \
    typedef int (*prefix##syevd_t)(int, char, char, int, T *, int, T *);                                               \
    typedef int (*prefix##gesdd_t)(int, char, int, int, T *, int, T *, T *, int, T *, int);                            \
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
        } else if (is("gesv")) {                                                                                       \
            prefix##gesv_t f = (prefix##gesv_t) p.function;                                                            \
            REPEAT(restore(); f(COLUMN_MAJOR, n, 1, a, lda, p.work, b, ldb))                                           \
        } else if (is("potrf")) {                                                                                      \
            prefix##potrf_t f = (prefix##potrf_t) p.function;                                                          \
            REPEAT(restore(); f(COLUMN_MAJOR, 'U', n, a, lda))                                                         \
        } else if (is("geqrf")) {                                                                                      \
            prefix##geqrf_t f = (prefix##geqrf_t) p.function;                                                          \
            REPEAT(restore(); f(COLUMN_MAJOR, m, n, a, lda, b))                                                        \
        } else if (is("syevd")) {                                                                                      \
            prefix##syevd_t f = (prefix##syevd_t) p.function;                                                          \
            REPEAT(restore(); f(COLUMN_MAJOR, 'V', 'U', n, a, lda, b))                                                 \
        } else if (is("gesdd")) {                                                                                      \
            prefix##gesdd_t f = (prefix##gesdd_t) p.function;                                                          \
            REPEAT(restore(); f(COLUMN_MAJOR, 'S', m, n, a, lda, b, c, ldc, p.at[3], p.leading[3]))                    \
        } else {                                                                                                       \
            prefix##trsm_t f = (prefix##trsm_t) p.function;                                                            \
            int side = p.variant[0] == 'L' ? LEFT : RIGHT;                                                             \
            REPEAT(f(ROW_MAJOR, side, LOWER, t1, NON_UNIT, m, n, 1, a, lda, b, ldb))                                   \
        }                                                                                                              \
    }

LOOPS(float, s)
LOOPS(double, d)

typedef void (*bfloat16_t)(int, int, int, int, int, int, float, const void *, int, const void *, int, float, float *, int);
typedef size_t (*pack_size_t)(int, int, int, int);
typedef void (*pack_t)(int, int, int, int, int, int, float, const float *, int, float *);
typedef void (*compute_t)(int, int, int, int, int, int, const float *, int, const float *, int, float, float *, int);

// The calls that oneMKL adds, of one dtype.
static void mkl_loop(int calls) {
    int m = p.m, n = p.n, k = p.k, lda = p.leading[0], ldb = p.leading[1], ldc = p.leading[2];
    int t0 = p.variant[0] == 'T' ? TRANSPOSE : NO_TRANSPOSE, t1 = p.variant[1] == 'T' ? TRANSPOSE : NO_TRANSPOSE;
    if (is("gemm_bf16")) {
        bfloat16_t f = (bfloat16_t) p.function;
        REPEAT(f(ROW_MAJOR, t0, t1, m, n, k, 1, p.at[0], lda, p.at[1], ldb, 0, p.at[2], ldc))
    } else if (is("gemm_pack")) {
        pack_t f = (pack_t) p.function;
        REPEAT(f(ROW_MAJOR, B_MATRIX, t0, m, n, k, 1, p.at[1], ldb, p.work))
    } else {
        compute_t f = (compute_t) p.function;
        REPEAT(f(ROW_MAJOR, t0, PACKED, m, n, k, p.at[0], lda, p.work, ldb, 0, p.at[2], ldc))
    }
}

static void loop(int calls) {
    if (is("gemm_bf16") || is("gemm_pack") || is("gemm_compute")) {
        mkl_loop(calls);
    } else if (p.wide) {
        dloop(calls);
    } else {
        sloop(calls);
    }
}

// ---- operands ----

static shape matrix(int count, int rows, int columns, int transposed) {
    return transposed ? (shape) {count, columns, rows} : (shape) {count, rows, columns};
}

static void lay_out(void) {
    int t0 = p.variant[0] == 'T', t1 = p.variant[1] == 'T', order = p.variant[0] == 'L' ? p.m : p.n;
    int rank = p.m < p.n ? p.m : p.n;
    shape row_m = {1, 1, p.m}, row_n = {1, 1, p.n}, row_rank = {1, 1, rank};
    shape *s = p.shapes;
    if (is("nrm2") || is("scal")) {
        p.operands = 1, s[0] = row_n;
    } else if (is("axpy") || is("dot") || is("copy")) {
        p.operands = 2, s[0] = row_n, s[1] = row_n;
    } else if (is("gemv")) {
        p.operands = 3, s[0] = matrix(1, p.m, p.n, 0), s[1] = t0 ? row_m : row_n, s[2] = t0 ? row_n : row_m;
    } else if (is("ger")) {
        p.operands = 3, s[0] = row_m, s[1] = row_n, s[2] = matrix(1, p.m, p.n, 0);
    } else if (is("gemm_pack")) {
        p.operands = 3, s[0] = matrix(1, p.m, p.k, 0), s[1] = matrix(1, p.k, p.n, t0), s[2] = matrix(1, p.m, p.n, 0);
    } else if (is_product()) {
        p.operands = 3, s[0] = matrix(p.batch, p.m, p.k, t0), s[1] = matrix(p.batch, p.k, p.n, t1);
        s[2] = matrix(p.batch, p.m, p.n, 0);
    } else if (is("syrk")) {
        p.operands = 2, s[0] = matrix(1, p.n, p.k, t0), s[1] = matrix(1, p.n, p.n, 0);
    } else if (is("trsm")) {
        p.operands = 2, s[0] = matrix(1, order, order, 0), s[1] = matrix(1, p.m, p.n, 0);
    } else if (is("gesv") || is("syevd")) {
        p.operands = 2, s[0] = matrix(1, p.n, p.n, 0), s[1] = row_n;
    } else if (is("potrf")) {
        p.operands = 1, s[0] = matrix(1, p.n, p.n, 0);
    } else if (is("geqrf")) {
        p.operands = 2, s[0] = matrix(1, p.n, p.m, 0), s[1] = row_rank;
    } else {
        p.operands = 4, s[0] = matrix(1, p.n, p.m, 0), s[1] = row_rank;
        s[2] = matrix(1, rank, p.m, 0), s[3] = matrix(1, p.n, rank, 0);
    }
    int is_lapack = is("gesv") || is("potrf") || is("geqrf") || is("syevd") || is("gesdd");
    p.consumed = is("gesv") ? 2 : is_lapack;
}

// The last step of MurmurHash3, as in Operands.java.
static double initial(int operand, int64_t position) {
    uint32_t h = (uint32_t) position + (uint32_t) operand * 668265263u;
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    return (h ^ h >> 16) / 4294967296.0 - 0.5;
}

static double element(int operand, int64_t i, int64_t j) {
    int64_t columns = p.shapes[operand].columns, order = p.shapes[operand].rows, more = i > j ? i : j, less = i + j - more;
    double value = initial(operand, i * columns + j), symmetric = initial(operand, more * columns + less);
    if (operand > 0) {
        return value;
    }
    if (is("trsm")) {
        return i == j ? 1 : NOTHING * value;
    }
    if (is("gesv")) {
        return i + j == order - 1 ? 2 + value : value / order;
    }
    if (is("potrf")) {
        return i == j ? 2 + symmetric : symmetric / order;
    }
    return is("syevd") ? symmetric : value;
}

static void set(int operand, int64_t at, double value) {
    if (p.wide) {
        ((double *) p.at[operand])[at] = value;
    } else if (element_bytes(operand) == 4) {
        ((float *) p.at[operand])[at] = (float) value;
    } else {
        float number = (float) value;
        uint32_t bits;
        memcpy(&bits, &number, sizeof bits);
        ((uint16_t *) p.at[operand])[at] = (uint16_t) ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
    }
}

static void fill(int operand) {
    shape s = p.shapes[operand];
    for (int64_t i = 0; i < (int64_t) s.count * s.rows; i++) {
        for (int64_t j = 0; j < s.columns; j++) {
            set(operand, i * p.leading[operand] + j, element(operand, i, j));
        }
    }
}

static int allocate(int operand) {
    shape s = p.shapes[operand];
    int is_vector = s.rows == 1 && s.count == 1;
    p.leading[operand] = is_vector ? s.columns : p.ld > 0 ? p.ld : s.columns - p.ld;
    size_t bytes = operand_bytes(operand);
    p.blocks[operand] = aligned_alloc(PAGE, (bytes + 2 * PAGE - 1) / PAGE * PAGE);
    if (p.blocks[operand] == NULL) {
        return 0;
    }
    p.at[operand] = p.blocks[operand] + p.alignment % PAGE;
    memset(p.at[operand], 0, bytes);
    fill(operand);
    if (operand < p.consumed) {
        p.originals[operand] = malloc(bytes);
        if (p.originals[operand] == NULL) {
            return 0;
        }
        memcpy(p.originals[operand], p.at[operand], bytes);
    }
    return 1;
}

// Allocates what a routine needs beside its operands, and packs the matrix that it takes packed.
static int prepare(void) {
    if (is("gesv")) {
        p.work = malloc(p.n * sizeof(int));
        return p.work != NULL;
    }
    if (is("gemm_pack") || is("gemm_compute")) {
        pack_size_t size = (pack_size_t) dlsym(library, "cblas_sgemm_pack_get_size");
        pack_t pack = (pack_t) dlsym(library, "cblas_sgemm_pack");
        p.work = aligned_alloc(PAGE, (size(B_MATRIX, p.m, p.n, p.k) + PAGE - 1) / PAGE * PAGE);
        if (p.work == NULL) {
            return 0;
        }
        int transpose = p.variant[is("gemm_pack") ? 0 : 1] == 'T' ? TRANSPOSE : NO_TRANSPOSE;
        pack(ROW_MAJOR, B_MATRIX, transpose, p.m, p.n, p.k, 1, p.at[1], p.leading[1], p.work);
    }
    return 1;
}

static void close_operands(void) {
    for (int i = 0; i < MAX_OPERANDS; i++) {
        free(p.blocks[i]);
        free(p.originals[i]);
        p.blocks[i] = NULL;
        p.originals[i] = NULL;
    }
    free(p.work);
    p.work = NULL;
}

static void open_operands(void) {
    p.function = dlsym(library, p.symbol);
    if (p.function == NULL) {
        printf("{\"lacks\": \"%s\"}\n", p.symbol);
        return;
    }
    lay_out();
    int allocated = 1;
    for (int i = 0; i < p.operands; i++) {
        allocated = allocated && allocate(i);
    }
    if (allocated && prepare()) {
        printf("{}\n");
    } else {
        close_operands();
        printf("{\"error\": \"no memory\"}\n");
    }
}

static void time_calls(int calls, int samples) {
    static double times_us[MAX_SAMPLES];
    for (int sample = 0; sample < samples; sample++) {
        double start = now_us();
        loop(calls);
        double end = now_us();
        for (int i = 0; i < calls && p.consumed > 0; i++) {
            restore();
        }
        double restoring = p.consumed > 0 ? now_us() - end : 0;
        times_us[sample] = (end - start - restoring) / calls;
    }
    print_times(times_us, samples);
}

static void answer(const char *line) {
    char dtype[16];
    int calls, samples;
    if (strncmp(line, "hello", 5) == 0) {
        printf("{}\n");
    } else if (sscanf(line, "open %31s %7s %15s %d %d %d %d %d %d %63s", p.routine, p.variant, dtype, &p.m, &p.n, &p.k,
                      &p.batch, &p.ld, &p.alignment, p.symbol)
               == 10) {
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
