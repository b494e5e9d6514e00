# /// script
# requires-python = ">=3.11"
# # One series for all builds: numpy 2.5 has no wheels for free-threaded 3.13.
# dependencies = ["numpy==2.4.*"]
#
# [tool.ftbench]
# kind = "cpu"
# ceiling = "floating_point"
# summary = "NumPy matrix products, 64 by 64: BLAS, with the GIL released"
# source = "R. Freivalds, Probabilistic Machines Can Use Less Running Time, 1977: how it is checked"
# shows = "That C code which releases the GIL scales on any build, as far as BLAS itself does"
# models = ["serial", "threads", "processes"]
# ///
"""Products of two matrices of 64 by 64 doubles: ten per unit.

NumPy releases the GIL and leaves the product to a BLAS library, which has threads of its own for
large matrices; these would take the cores that other workers are bound to, and spoil what is
measured. OpenBLAS, which NumPy's wheels bring, uses one thread up to 64 * 64 * 64 multiplications
(`interface/gemm.c`: SMP_THRESHOLD_MIN * GEMM_MULTITHREAD_THRESHOLD = 65,536 * 4), so the matrices
are of just that size and nothing has to be set. For larger ones OPENBLAS_NUM_THREADS=1 is what
does it (MKL_NUM_THREADS, BLIS_NUM_THREADS elsewhere); ftbench hands these on to the workers.
"""

import numpy

SIZE = 64
PRODUCTS = 10


def setup(units):
    """Two matrices of small integers, whose product is exact, to be read by all."""
    row, column = numpy.indices((SIZE, SIZE))
    left = (row * 7 + column * 3) % 11
    right = (row * 5 + column * 2) % 13
    return left.astype(numpy.float64), right.astype(numpy.float64)


def weights():
    """What the rows and columns of a product are weighted with, so that every element counts."""
    return numpy.arange(1, SIZE + 1, dtype=numpy.float64)


def work(data, units):
    """Multiply; returns the weighted sums of the products of each unit, added up."""
    left, right = data
    weight = weights()
    sums = []
    for _ in range(units):
        total = 0.0
        for _ in range(PRODUCTS):
            product = left @ right
            total += float(weight @ (product @ weight))
        sums.append(total)
    return sums


def expected():
    """The sum of one product by Freivalds's way, without the product: (u A)(B u), in integers."""
    indices = range(SIZE)
    left = [sum((i + 1) * ((i * 7 + k * 3) % 11) for i in indices) for k in indices]
    right = [sum((j + 1) * ((k * 5 + j * 2) % 13) for j in indices) for k in indices]
    return sum(one * other for one, other in zip(left, right))


def check(results, units):
    """Every unit's products have the weighted sum that is known."""
    sums = [value for share in results for value in share]
    assert len(sums) == units, f"{len(sums)} units were done, not {units}"
    known = PRODUCTS * expected()
    for value in sums:
        assert value == known, f"products with the sum {value!r}, not {known}"
