// The clock and the output format shared by the C peers.
#ifndef TIMING_H
#define TIMING_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static inline int ascending(const void *a, const void *b) {
    double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

static inline void print_times(double *times_us, int count) {
    printf("{\"times_us\": [");
    for (int i = 0; i < count; i++) {
        printf("%s%.4f", i == 0 ? "" : ", ", times_us[i]);
    }
    qsort(times_us, (size_t) count, sizeof *times_us, ascending);
    printf("], \"median_us\": %.4f}\n", (times_us[(count - 1) / 2] + times_us[count / 2]) / 2);
}

#endif
