# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "Digits of pi, one by one: integers of a few hundred digits"
# source = "Gibbons (2006); digits: https://oeis.org/A000796"
# shows = "Big integers, each a new object of a new size: whether the allocator scales as well"
# ///
"""The first 60 digits of pi by a spigot without end: all 60 per unit.

The algorithm is the streaming one of J. Gibbons, "Unbounded spigot algorithms for the digits of
pi", American Mathematical Monthly 113 no. 4 (2006), 318-328, on integers that grow as it goes.
"pidigits" of the Computer Language Benchmarks Game uses it, too.
"""

# https://oeis.org/A000796
EXPECTED = "314159265358979323846264338327950288419716939937510582097494"


def digits_of_pi(count):
    """The first digits of pi, as text.

    The state q, r, t stands for the linear map x -> (q * x + r) / t, the terms of the series taken
    in so far; a digit is safe once the map gives it for x = 3 and for x = 4, between which the rest
    of the series lies.
    """
    digits = []
    q, r, t = 1, 0, 1
    term = 0
    while len(digits) < count:
        digit = (3 * q + r) // t
        if digit == (4 * q + r) // t:
            digits.append(str(digit))
            q, r = 10 * q, 10 * (r - digit * t)
        else:
            term += 1
            odd = 2 * term + 1
            q, r, t = q * term, (2 * q + r) * odd, t * odd
    return "".join(digits)


def work(data, units):
    """Compute the digits afresh once per unit; returns those of each."""
    return [digits_of_pi(len(EXPECTED)) for _ in range(units)]


def check(results, units):
    """All digits are those of pi."""
    texts = [text for share in results for text in share]
    assert len(texts) == units, f"{len(texts)} times the digits, not {units}"
    for text in texts:
        assert text == EXPECTED, f"digits {text}, not {EXPECTED}"
