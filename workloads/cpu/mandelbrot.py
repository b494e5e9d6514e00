# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "Mandelbrot set: a tight loop over local floats, no shared state"
# source = "Mandelbrot (1980); Computer Language Benchmarks Game"
# shows = "One frame and its local floats: threads share next to nothing"
# ///
"""The Mandelbrot set on a grid of 12 by 12 points, at most 50 steps each: one picture per unit.

A point c belongs to the set if z = z * z + c, from z = 0, stays bounded; it is outside for certain
once |z| > 2 (B. Mandelbrot, 1980). The square, -1.5 to 0.5 and -1 to 1, and the 50 steps are those
of "mandelbrot" in the Computer Language Benchmarks Game,
https://benchmarksgame-team.pages.debian.net/benchmarksgame/description/mandelbrot.html
"""

SIDE = 12
STEPS = 50

# Points that stay within the limit, and the steps taken by all points together: what arithmetic on
# integers of 200 bits gives, too (tests/test_cpu_workloads.py).
EXPECTED = (60, 3570)


def picture():
    """Points that stay within |z| <= 2 for all steps, and the steps taken by all points."""
    inside = 0
    taken = 0
    for row in range(SIDE):
        c_imaginary = 2.0 * row / SIDE - 1.0
        for column in range(SIDE):
            c_real = 2.0 * column / SIDE - 1.5
            real = imaginary = real_squared = imaginary_squared = 0.0
            step = 0
            while step < STEPS and real_squared + imaginary_squared <= 4.0:
                imaginary = 2.0 * real * imaginary + c_imaginary
                real = real_squared - imaginary_squared + c_real
                real_squared = real * real
                imaginary_squared = imaginary * imaginary
                step += 1
            taken += step
            if real_squared + imaginary_squared <= 4.0:
                inside += 1
    return inside, taken


def work(data, units):
    """Compute the picture once per unit; returns what was counted in each."""
    return [picture() for _ in range(units)]


def check(results, units):
    """Every picture has the counts that are known."""
    pictures = [each for share in results for each in share]
    assert len(pictures) == units, f"{len(pictures)} pictures, not {units}"
    for counts in pictures:
        assert counts == EXPECTED, f"points inside and steps {counts}, not {EXPECTED}"
