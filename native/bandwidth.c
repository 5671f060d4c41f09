// Measures the memory bandwidth: adds, copies and sums 16 Mi floats on one thread and on two, and prints one line
// of JSON with the best of several runs in GB/s. Bytes count once for each array read or written.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "timing.h"

enum { ELEMENTS = 1 << 24, RUNS = 7, MAX_THREADS = 2 };

static float *a, *b, *c;
static float sums[MAX_THREADS][16];

typedef struct {
    void (*kernel)(size_t from, size_t to, int thread);
    size_t from, to;
    int thread;
} part;

static void add(size_t from, size_t to, int thread) {
    (void) thread;
    for (size_t i = from; i < to; i++) {
        c[i] = a[i] + b[i];
    }
}

static void copy(size_t from, size_t to, int thread) {
    (void) thread;
    memcpy(c + from, a + from, (to - from) * sizeof *a);
}

// Sixteen partial sums, so that the additions do not wait for one another.
static void sum(size_t from, size_t to, int thread) {
    float partial[16] = {0};
    for (size_t i = from; i + 16 <= to; i += 16) {
        for (int j = 0; j < 16; j++) {
            partial[j] += a[i + j];
        }
    }
    memcpy(sums[thread], partial, sizeof partial);
}

static void *run(void *argument) {
    part *p = argument;
    p->kernel(p->from, p->to, p->thread);
    return NULL;
}

static double best_us(void (*kernel)(size_t, size_t, int), int threads) {
    double best = 1e30;
    for (int i = 0; i < RUNS; i++) {
        part parts[MAX_THREADS];
        pthread_t others[MAX_THREADS];
        double start = now_us();
        for (int t = threads - 1; t >= 0; t--) {
            size_t share = ELEMENTS / (size_t) threads;
            parts[t] = (part) {kernel, t * share, (t + 1) * share, t};
            if (t > 0) {
                pthread_create(&others[t], NULL, run, &parts[t]);
            } else {
                run(&parts[t]);
            }
        }
        for (int t = 1; t < threads; t++) {
            pthread_join(others[t], NULL);
        }
        double time = now_us() - start;
        best = time < best ? time : best;
    }
    return best;
}

static float *array(void) {
    float *x = aligned_alloc(64, ELEMENTS * sizeof *x);
    if (x == NULL) {
        fprintf(stderr, "bandwidth: no memory for %d floats\n", ELEMENTS);
        exit(1);
    }
    for (size_t i = 0; i < ELEMENTS; i++) {
        x[i] = 1;
    }
    return x;
}

int main(void) {
    a = array();
    b = array();
    c = array();
    double bytes = ELEMENTS * sizeof(float);
    printf("{");
    for (int threads = 1; threads <= MAX_THREADS; threads++) {
        printf("%s\"add %d\": %.2f, \"copy %d\": %.2f, \"sum %d\": %.2f", threads == 1 ? "" : ", ", threads,
               3 * bytes / best_us(add, threads) / 1e3, threads, 2 * bytes / best_us(copy, threads) / 1e3, threads,
               bytes / best_us(sum, threads) / 1e3);
    }
    printf("}\n");
    return 0;
}
