"""The parts that the Python peers share: starting numbers, clock and line protocol.

A request is a line of words on stdin, the answer one line of JSON on stdout. An idle peer is blocked in read and
takes no processor time.
"""

import json
import statistics
import sys
import time
import traceback

import numpy as np

STEP_WIDTHS = (784, 512, 256, 10)
MEMORY_WIDTHS = (784, 1024, 1024, 1024, 10)
STARTUP_WIDTHS = (64, 64, 10)
BLOCK_WIDTH = 1024
CHECKED_RUNS = 3
LEARNING_RATE = {"sgd": 0.01, "adam": 1e-3}
MOMENTUM = 0.9
ELEMENTS_PER_SAMPLE = 1 << 22


def _fractions(first, count, factor, offset=0):
    """Returns (i * factor + offset) mod 2^32 as a fraction of 2^32, exact in 64 bits."""
    i = np.arange(first, first + count, dtype=np.uint64)
    return ((i * np.uint64(factor) + np.uint64(offset)) & np.uint64(0xFFFFFFFF)) / 2.0**32


def weights(layer, fan_in, fan_out):
    """Returns the weight [fan_out, fan_in] of a layer, counted from 0."""
    fractions = _fractions(0, fan_in * fan_out, 2654435761, layer * 40503)
    return ((fractions - 0.5) * 2 / np.sqrt(fan_in)).astype(np.float32).reshape(fan_out, fan_in)


def layers(widths):
    """Returns weight and bias of each linear layer, one after another."""
    parameters = []
    for layer, (fan_in, fan_out) in enumerate(zip(widths, widths[1:])):
        parameters += [weights(layer, fan_in, fan_out), np.zeros(fan_out, np.float32)]
    return parameters


def inputs(*shape):
    """Returns the inputs, filled in pieces: temporaries of the whole size would change the memory that is measured."""
    flat = np.empty(int(np.prod(shape)), np.float32)
    piece = 1 << 16
    for first in range(0, flat.size, piece):
        count = min(piece, flat.size - first)
        flat[first : first + count] = _fractions(first, count, 2246822519)
    return flat.reshape(shape)


def labels(rows):
    return np.arange(rows, dtype=np.int64) * 7 % 10


def timed(run, samples, calls=1):
    """Times `samples` samples of `calls` calls each, after a few untimed samples."""
    times = []
    for sample in range(-untimed(samples), samples):
        start = time.perf_counter_ns()
        for _ in range(calls):
            run()
        if sample >= 0:
            times.append((time.perf_counter_ns() - start) / 1e3 / calls)
    return {"median_us": statistics.median(times), "times_us": times}


def untimed(samples):
    return max(2, min(10, samples // 4))


def calls_per_sample(elements):
    return max(1, ELEMENTS_PER_SAMPLE // elements)


def check(function):
    """Returns the first results of a function, or their mean squares, and how far they moved a parameter."""
    numbers = []
    for _ in range(CHECKED_RUNS):
        result = function.run()
        numbers.append(result if isinstance(result, float) else float(np.mean(np.square(np.asarray(result, np.float64)))))
    return {"numbers": numbers + [function.moved()]}


def peak_memory(steps):
    """Returns the peak resident bytes while `steps` runs, minus the resident bytes just before."""
    before = _status("VmRSS")
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # resets the peak: proc(5)
    steps()
    return {"peak_bytes": _status("VmHWM") - before}


def _status(field):
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}; the memory workload needs Linux")


def serve(name, version, workloads):
    """Answers requests until stdin ends. `workloads` maps the first word to a function of the others."""
    hello = {"name": name, "version": version, "workloads": list(workloads)}
    for line in sys.stdin:
        word, *rest = line.split()
        try:
            answer = hello if word == "hello" else workloads[word](*rest)
        except Exception as error:  # the driver reports it; the peer lives on
            traceback.print_exc()
            answer = {"error": f"{name}: {line.strip()}: {error!r}"}
        print(json.dumps(answer), flush=True)
