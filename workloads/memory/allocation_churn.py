# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "memory"
# summary = "Allocation churn: small and large blocks made and dropped in mixed order"
# source = "Larson and Krishnan, ISMM 1998"
# shows = "The allocator: one for all threads under the GIL, a heap for each thread without"
# ///
"""Makes 2,000 byte strings of 16 to 6,000 bytes, each in the place of an older one: one unit.

P.-A. Larson and M. Krishnan's benchmark of server allocators (1998) does the same: slots hold
blocks of random sizes, and each step frees one and fills its slot again. Here each worker has
slots of its own; one block in 16 is above the 512 bytes up to which CPython's allocator of small
objects goes.
"""

BLOCKS = 2000
SLOTS = 256
LARGE_EVERY = 16
# A generator of full period modulo SLOTS picks them (Hull and Dobell, SIAM Review 4 no. 3, 1962).
FACTOR = 77
INCREMENT = 53


def size_bytes(n):
    """Synthetic size of the n-th block."""
    if n % LARGE_EVERY == 0:
        return 1000 + n * 37 % 5000
    return 16 + n * 7 % 400


def churn(slots, sizes):
    """Fill slots again and again; returns the bytes of the blocks that were dropped."""
    slot = 0
    dropped = 0
    for size in sizes:
        slot = (slot * FACTOR + INCREMENT) % SLOTS
        dropped += len(slots[slot])
        slots[slot] = bytes(size)
    return dropped


def work(data, units):
    """Churn once per unit; returns for each the bytes dropped and the bytes held at the end."""
    sizes = [size_bytes(n) for n in range(BLOCKS)]
    sums = []
    for _ in range(units):
        slots = [b""] * SLOTS
        dropped = churn(slots, sizes)
        sums.append((dropped, sum(map(len, slots))))
    return sums


def check(results, units):
    """The last 256 blocks are held, as their slots all differ; the others were dropped."""
    sizes = [size_bytes(n) for n in range(BLOCKS)]
    expected = (sum(sizes[:-SLOTS]), sum(sizes[-SLOTS:]))
    sums = [each for share in results for each in share]
    assert len(sums) == units, f"{len(sums)} times churned, not {units}"
    for each in sums:
        assert each == expected, f"bytes dropped and held {each}, not {expected}"
