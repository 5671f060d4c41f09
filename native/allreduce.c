// Measures MPI's collectives on floats, as the OSU micro-benchmarks do: MPI_Allreduce in place, and the MPI_Alltoall
// and in-place MPI_Allgather that move the same bytes.
//
//   mpirun -n RANKS allreduce
//
// prints a line for each size from 4 bytes to 64 MiB: the size, and for both the time of a call in microseconds and the
// bus bandwidth in GB/s, which is 2·(RANKS − 1)/RANKS times the bytes divided by the time: the traffic of each rank's
// link in a ring (https://github.com/NVIDIA/nccl-tests/blob/master/doc/PERFORMANCE.md). A time is the median over
// samples of the slowest rank's; the last column is the least time of the second, which other processes disturb least.
// CollectivesRank samples in the same way.
#include <mpi.h>
#include <string.h>

#include "timing.h"

enum {
    LARGEST_BYTES = 1 << 26,
    GROWTH = 4, // from one size to the next
    MIN_SAMPLES = 5,
    MAX_SAMPLES = 101,
    SAMPLE_US = 1000, // short calls are repeated to fill a sample
    SAMPLING_US = 250000,
    WARM_UP_CALLS = 3
};

typedef struct {
    double median_us, least_us;
} timing;

static int rank, ranks;

// The data of a rank. In the exchange, rank r receives a slice from every rank, and gathers the slices of all.
static float *data, *slices;
static int count, slice;

static void all_reduce(void) {
    MPI_Allreduce(MPI_IN_PLACE, data, count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
}

static void all_to_all(void) {
    MPI_Alltoall(data, slice, MPI_FLOAT, slices, slice, MPI_FLOAT, MPI_COMM_WORLD);
}

static void all_gather(void) {
    MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, data, slice, MPI_FLOAT, MPI_COMM_WORLD);
}

static void exchange(void) {
    all_to_all();
    all_gather();
}

static double sample_us(void (*call)(void), int calls) {
    MPI_Barrier(MPI_COMM_WORLD);
    double start = now_us();
    for (int i = 0; i < calls; i++) {
        call();
    }
    return (now_us() - start) / calls;
}

static int within(double x, int low, int high) {
    return x < low ? low : x > high ? high : (int) x;
}

// Returns rank 0's time of a call after a warm-up, on every rank, so that all plan the same calls.
static double estimate_us(void (*call)(void)) {
    sample_us(call, WARM_UP_CALLS);
    double time = sample_us(call, WARM_UP_CALLS);
    MPI_Bcast(&time, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    return time;
}

// Returns the times of a call on rank 0.
static timing time_calls(void (*call)(void)) {
    double times_us[MAX_SAMPLES], slowest_us[MAX_SAMPLES];
    double estimate = estimate_us(call);
    int calls = within(SAMPLE_US / estimate, 1, SAMPLE_US);
    int samples = within(SAMPLING_US / (calls * estimate), MIN_SAMPLES, MAX_SAMPLES);
    for (int i = 0; i < samples; i++) {
        times_us[i] = sample_us(call, calls);
    }
    MPI_Reduce(times_us, slowest_us, samples, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
    qsort(slowest_us, (size_t) samples, sizeof *slowest_us, ascending);
    return (timing) {(slowest_us[(samples - 1) / 2] + slowest_us[samples / 2]) / 2, slowest_us[0]};
}

static float *floats(size_t elements) {
    float *x = aligned_alloc(64, (elements * sizeof *x + 63) / 64 * 64);
    if (x == NULL) {
        fprintf(stderr, "allreduce: no memory for %zu floats\n", elements);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    memset(x, 0, elements * sizeof *x);
    return x;
}

static void fill(float value) {
    for (int i = 0; i < slice * ranks; i++) {
        data[i] = value;
    }
}

static void require_sums(const char *name) {
    for (int i = 0; i < count; i++) {
        if (data[i] != (float) ranks * (float) (ranks + 1) / 2) {
            fprintf(stderr, "allreduce: %s of %d floats: element %d is %g on rank %d\n", name, count, i, data[i], rank);
            MPI_Abort(MPI_COMM_WORLD, 1);
        }
    }
}

// Sums the values rank + 1 in both ways, and leaves zeros, which stay zeros however often they are summed.
static void check(void) {
    fill((float) (rank + 1));
    all_reduce();
    require_sums("MPI_Allreduce");
    fill((float) (rank + 1));
    all_to_all();
    float *own = data + (size_t) rank * (size_t) slice;
    memset(own, 0, (size_t) slice * sizeof *own);
    for (int i = 0; i < slice * ranks; i++) {
        own[i % slice] += slices[i];
    }
    all_gather();
    require_sums("MPI_Alltoall and MPI_Allgather");
    fill(0);
}

static void measure(size_t bytes) {
    count = (int) (bytes / sizeof *data);
    slice = (count + ranks - 1) / ranks;
    check();
    timing reduce = time_calls(all_reduce), exchanged = time_calls(exchange);
    double bus_bytes = 2.0 * (ranks - 1) / ranks * (double) bytes;
    if (rank == 0) {
        printf("%10zu %12.2f %8.3f %12.2f %8.3f %12.2f\n", bytes, reduce.median_us, bus_bytes / reduce.median_us / 1e3,
               exchanged.median_us, bus_bytes / exchanged.median_us / 1e3, exchanged.least_us);
        fflush(stdout);
    }
}

static void print_heading(void) {
    char version[MPI_MAX_LIBRARY_VERSION_STRING];
    int length;
    MPI_Get_library_version(version, &length);
    printf("# %.*s, %d ranks; times of a call in us, bus bandwidths in GB/s\n", (int) strcspn(version, ",\n"), version,
           ranks);
    printf("# %8s %12s %8s %12s %8s %12s\n", "bytes", "allreduce", "GB/s", "exchange", "GB/s", "least");
}

int main(int arguments, char **values) {
    MPI_Init(&arguments, &values);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    data = floats(LARGEST_BYTES / sizeof *data + (size_t) ranks);
    slices = floats(LARGEST_BYTES / sizeof *data + (size_t) ranks);
    if (rank == 0) {
        print_heading();
    }
    for (size_t bytes = sizeof *data; bytes <= LARGEST_BYTES; bytes *= GROWTH) {
        measure(bytes);
    }
    free(data);
    free(slices);
    MPI_Finalize();
    return 0;
}
