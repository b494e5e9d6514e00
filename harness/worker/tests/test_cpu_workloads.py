"""The workloads of `cpu` and `memory`: specific faults, and their answers computed another way."""

import itertools
import json
import math
import random
import subprocess
import unittest
import zlib
from decimal import Decimal, localcontext
from fractions import Fraction
from unittest import mock

from suite import Tried, fresh, names

UNITS = 3


def off_by_one(function):
    """The function with a result that is too large by one."""
    return lambda *arguments: function(*arguments) + 1


# Faults that are injected while `work` runs: file (and case), name of the faulty part, and a
# function that makes the faulty part from the right one.
PARTS = [
    ("cpu/fib", "fib", lambda right: lambda n: right(n) if n > 1 else 1),
    ("cpu/nbody", "advance", lambda right: lambda system, steps: right(system, steps - 1)),
    ("cpu/nbody", "energy", lambda right: lambda system: float("nan")),
    ("cpu/nbody", "STEP_YEARS", lambda right: right * 1.0001),
    ("cpu/sha256", "PERIOD", lambda right: right[:-1] + b"x"),
    ("cpu/word_count", "work", lambda right: lambda text, n: right(text.replace(" ", "", 1), n)),
    ("cpu/word_count", "work", lambda right: lambda text, n: {**right(text, n), "stray": 1}),
    ("cpu/mandelbrot", "STEPS", lambda right: right - 1),
    ("cpu/mandelbrot", "SIDE", lambda right: right + 1),
    ("cpu/spectral_norm", "entry", lambda right: lambda row, column: right(column, row + 1)),
    ("cpu/spectral_norm", "ITERATIONS", lambda right: 1),
    ("cpu/spectral_norm", "times_transposed", lambda right: lambda vector: vector),
    ("cpu/pidigits", "digits_of_pi", lambda right: lambda count: right(count - 1) + "5"),
    ("cpu/bubble_sort", "bubble_sort", lambda right: lambda values: 1620),
    ("cpu/bubble_sort", "bubble_sort", lambda right: lambda values: values.sort() or 0),
    ("cpu/bubble_sort", "numbers", lambda right: lambda: right()[::-1]),
    ("cpu/pagerank", "FOLLOWED", lambda right: 0.86),
    ("cpu/pagerank", "ITERATIONS", lambda right: right - 1),
    ("cpu/pagerank", "graph", lambda right: lambda pages: {**right(pages), 5: [6]}),
    ("cpu/monte_carlo_pi", "POINTS", lambda right: right - 10),
    ("cpu/monte_carlo_pi", "split", lambda right: lambda units, workers: [1] * workers),
    ("cpu/ray_tracing", "AMBIENT", lambda right: 0.11),
    ("cpu/ray_tracing", "DEPTH", lambda right: 0),
    ("cpu/ray_tracing", "NEAREST", lambda right: -1.0),
    ("cpu/regular_expressions.own_patterns", "PATTERNS", lambda right: right[1:]),
    ("cpu/regular_expressions.own_patterns", "lines", lambda right: lambda: right()[:-1]),
    ("cpu/regular_expressions.shared_patterns", "SHARED", lambda right: right[1:]),
    ("cpu/json_round_trip", "round_trip", lambda right: lambda text: right(text.lower())),
    ("cpu/json_round_trip", "round_trip", lambda right: lambda text: right(text)[:-1]),
    ("cpu/text_processing", "ROW", lambda right: right.replace(".1f", ".2f")),
    ("cpu/text_processing", "FIRST_OF_ERRORS", lambda right: 500),
    ("cpu/event_simulation", "gap_s", off_by_one),
    ("cpu/decimal_invoices", "ROUND_DOWN", lambda right: "ROUND_HALF_UP"),
    ("cpu/decimal_invoices", "ROUND_HALF_EVEN", lambda right: "ROUND_HALF_UP"),
    ("cpu/zlib_compress", "compressed", lambda right: lambda text: right(text[:-1])),
    ("cpu/zlib_compress", "LEVEL", lambda right: 0),
    ("cpu/sort_long_list", "in_order", lambda right: list),
    ("cpu/sort_long_list", "in_order", lambda right: lambda values: right(values)[1:]),
    ("cpu/regex_long_string", "search", lambda right: lambda text: right(text[100:])),
    ("memory/allocation_churn", "SLOTS", lambda right: right // 2),
    ("memory/allocation_churn", "churn", off_by_one),
    ("memory/cyclic_garbage", "ring", lambda right: lambda first: right(first + 1)),
    ("memory/large_array", "find", lambda right: lambda window: right(0)),
]


class FaultyParts(unittest.TestCase):
    """A faulty part in each workload, which its check must catch."""

    def test_every_faulty_part_is_caught(self):
        for workload, part, faulty in PARTS:
            with self.subTest(workload=workload, part=part):
                name, _, case = workload.partition(".")
                tried = Tried(name, case or None)
                right = getattr(tried.module, part)
                for workers in (1, 2):
                    with mock.patch.object(tried.module, part, faulty(right)):
                        results = tried.results(workers, UNITS)
                    with self.assertRaises(AssertionError) as caught:
                        tried.check(results, UNITS)
                    self.assertTrue(str(caught.exception), "the message says what is wrong")

    def test_every_workload_has_a_faulty_part(self):
        tried = {workload.partition(".")[0] for workload, _, _ in PARTS}
        present = {name for name in names() if name.startswith(("cpu/", "memory/"))}
        self.assertEqual(tried, present)


class Answers(unittest.TestCase):
    """The expected answers of the workloads, computed in another way."""

    def test_nbody_by_the_benchmarks_game(self):
        module = fresh("cpu/nbody")
        system = module.bodies()
        self.assertEqual(f"{module.energy(system):.9f}", "-0.169075164")
        module.advance(system, 1000)
        self.assertEqual(f"{module.energy(system):.9f}", "-0.169087605")

    def test_sha256_by_coreutils(self):
        module = fresh("cpu/sha256")
        answer = subprocess.run(
            ["sha256sum"], input=module.setup(1), stdout=subprocess.PIPE, check=True
        )
        self.assertEqual(answer.stdout.split()[0].decode(), module.EXPECTED)

    def test_word_count_with_more_workers_than_units(self):
        tried = Tried("cpu/word_count")
        tried.check(tried.results(4, 2), 2)
        self.assertEqual(sum(sum(each.values()) for each in tried.results(1, 2)), 10_000)

    def test_mandelbrot_by_arithmetic_on_integers(self):
        module = fresh("cpu/mandelbrot")
        one = 1 << 200
        inside = taken = 0
        for row, column in itertools.product(range(module.SIDE), repeat=2):
            c_real = 2 * one * column // module.SIDE - 3 * one // 2
            c_imaginary = 2 * one * row // module.SIDE - one
            real = imaginary = steps = 0
            while steps < module.STEPS and real**2 + imaginary**2 <= 4 * one**2:
                real, imaginary = (
                    (real**2 - imaginary**2) // one + c_real,
                    2 * real * imaginary // one + c_imaginary,
                )
                steps += 1
            taken += steps
            inside += real**2 + imaginary**2 <= 4 * one**2
        self.assertEqual((inside, taken), module.EXPECTED)

    def test_spectral_norm_by_the_benchmarks_game(self):
        self.assertEqual(f"{fresh('cpu/spectral_norm').spectral_norm(100, 10):.9f}", "1.274219991")

    def test_spectral_norm_by_exact_fractions(self):
        """1, 1/2, 1/3 and so on fill the diagonals, each from top right to bottom left."""
        module = fresh("cpu/spectral_norm")
        order = module.ORDER
        numbers = itertools.count(1)
        matrix = {
            (row, diagonal - row): Fraction(1, next(numbers))
            for diagonal in range(2 * order)
            for row in range(diagonal + 1)
        }

        def times(vector, entry):
            return [sum(entry(i, j) * vector[j] for j in range(order)) for i in range(order)]

        before = after = [Fraction(1)] * order
        for _ in range(2 * module.ITERATIONS):
            before = after
            image = times(before, lambda i, j: matrix[i, j])
            after = times(image, lambda i, j: matrix[j, i])
        square = Fraction(
            sum(one * other for one, other in zip(before, after)), sum(one**2 for one in before)
        )
        with localcontext() as context:
            context.prec = 40
            norm = (Decimal(square.numerator) / Decimal(square.denominator)).sqrt()
        self.assertAlmostEqual(float(norm), module.EXPECTED_NORM, delta=1e-15)

    def test_pi_by_machins_formula(self):
        """pi / 4 = 4 arctan(1/5) - arctan(1/239), J. Machin, 1706."""
        expected = fresh("cpu/pidigits").EXPECTED
        one = 10 ** (len(expected) + 10)

        def arctan_of_inverse(n):
            total, power, sign, k = 0, one // n, 1, 1
            while power:
                total += sign * (power // k)
                power //= n * n
                sign, k = -sign, k + 2
            return total

        pi = 4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239))
        self.assertEqual(str(pi)[: len(expected)], expected)

    def test_bubble_sort_by_counting_inversions(self):
        module = fresh("cpu/bubble_sort")
        values = module.numbers()
        self.assertEqual(sorted(values), list(range(1, module.LENGTH + 1)))
        inversions = sum(one > other for one, other in itertools.combinations(values, 2))
        self.assertEqual(inversions, module.EXPECTED_EXCHANGES)

    def test_pagerank_by_exact_fractions(self):
        module = fresh("cpu/pagerank")
        links, count = module.graph(module.PAGES), module.PAGES
        followed = Fraction(85, 100)
        matrix = [[Fraction(0)] * count for _ in range(count)]  # from column to row
        for page in range(count):
            for target in links[page]:
                matrix[target][page] += followed / len(links[page])
            for target in range(count):
                left_over = (1 - followed) if links[page] else 1
                matrix[target][page] += Fraction(left_over, count)
        ranks = [Fraction(1, count)] * count
        for _ in range(module.ITERATIONS):
            ranks = [sum(one * rank for one, rank in zip(row, ranks) if one) for row in matrix]
        self.assertEqual(sum(ranks), 1)
        self.assertEqual(max(range(count), key=ranks.__getitem__), module.EXPECTED_PAGE)
        checksum = float(sum(page * rank for page, rank in enumerate(ranks)))
        self.assertAlmostEqual(checksum, module.EXPECTED_CHECKSUM, delta=1e-12)

    def test_pagerank_by_langville_and_meyer(self):
        """The web of six pages in chapter 4 of their book, with the ranks that it gives."""
        links = {1: [2, 3], 2: [], 3: [1, 2, 5], 4: [5, 6], 5: [4, 6], 6: [4]}
        ranks = fresh("cpu/pagerank").pagerank(links, 200, 0.9)
        published = [0.03721, 0.05396, 0.04151, 0.3751, 0.206, 0.2862]
        for rank, expected in zip(ranks.values(), published):
            self.assertAlmostEqual(rank, expected, delta=6e-5)

    def test_monte_carlo_pi_by_arithmetic_on_integers(self):
        """`random()` is made of the upper 27 and 26 bits of two outputs, says CPython's source."""
        module = fresh("cpu/monte_carlo_pi")
        for seed, expected in enumerate(module.EXPECTED_HITS):
            generator = random.Random(seed)

            def draw(bits=generator.getrandbits):
                return (bits(32) >> 5 << 26) + (bits(32) >> 6)

            hits = sum(draw() ** 2 + draw() ** 2 <= 1 << 106 for _ in range(module.POINTS))
            self.assertEqual(hits, expected, f"seed {seed}")

    def test_ray_tracing_by_plain_formulas(self):
        module = fresh("cpu/ray_tracing")
        total = 0
        for number in range(module.WIDTH * module.HEIGHT):
            row, column = divmod(number, module.WIDTH)
            x = (2 * column + 1) / module.WIDTH - 1
            y = 0.75 * (1 - (2 * row + 1) / module.HEIGHT)
            total += (number + 1) * int(255 * _brightness((0, 1.2, -2), (x, y, 1.5), 1))
        self.assertEqual(total, module.EXPECTED)

    def test_json_by_the_json_module(self):
        module = fresh("cpu/json_round_trip")
        self.assertEqual(module.written(module.document()), json.dumps(module.document()))

    def test_adler_32_by_zlib(self):
        module = fresh("cpu/zlib_compress")
        text = module.setup(1)
        self.assertEqual(len(text), module.TEXT_BYTES)
        self.assertEqual(module.adler_32(text), zlib.adler32(text))
        self.assertEqual(zlib.decompress(module.compressed(text)), text)

    def test_the_generators_visit_every_number(self):
        numbers = fresh("cpu/sort_long_list").numbers()
        self.assertEqual(set(numbers), set(range(len(numbers))))
        churn = fresh("memory/allocation_churn")
        slots = [slot := 0]
        for _ in range(churn.SLOTS - 1):
            slot = (slot * churn.FACTOR + churn.INCREMENT) % churn.SLOTS
            slots.append(slot)
        self.assertEqual(set(slots), set(range(churn.SLOTS)))


# The scene of ray_tracing in numbers alone: centre, radius, brightness and mirror of each sphere.
SPHERES = [
    ((0, 1, 4), 1, 0.8, 0.3),
    ((-1.6, 0.6, 3), 0.6, 0.6, 0),
    ((1.4, 0.5, 2.8), 0.5, 0.9, 0.5),
]
LIGHT = (-4, 6, -2)


def _dot(one, other):
    return sum(map(float.__mul__, map(float, one), map(float, other)))


def _along(origin, direction, distance):
    return tuple(o + distance * d for o, d in zip(origin, direction))


def _crossings(origin, direction):
    """What a ray meets: the distance in lengths of `direction`, and the sphere's number or None."""
    if direction[1]:
        yield -origin[1] / direction[1], None
    for number, (centre, radius, _, _) in enumerate(SPHERES):
        offset = _along(origin, centre, -1)
        a, b = _dot(direction, direction), 2 * _dot(direction, offset)
        discriminant = b * b - 4 * a * (_dot(offset, offset) - radius**2)
        if discriminant >= 0:
            yield (-b - math.sqrt(discriminant)) / (2 * a), number
            yield (-b + math.sqrt(discriminant)) / (2 * a), number


def _brightness(origin, direction, depth):
    ahead = [each for each in _crossings(origin, direction) if each[0] > 1e-6]
    if not ahead:
        return 0
    distance, number = min(ahead, key=lambda each: each[0])
    point = _along(origin, direction, distance)
    if number is None:
        normal, mirror = (0, 1, 0), 0
        shade = 0.3 if (math.floor(point[0]) + math.floor(point[2])) % 2 else 0.9
    else:
        centre, radius, shade, mirror = SPHERES[number]
        normal = tuple((p - c) / radius for p, c in zip(point, centre))
    to_light = _along(LIGHT, point, -1)
    lit = 0.1
    if not any(1e-6 < where < 1 for where, _ in _crossings(point, to_light)):
        cosine = _dot(normal, to_light) / math.sqrt(_dot(to_light, to_light))
        lit += 0.9 * max(0, cosine)
    seen = shade * lit
    if mirror and depth:
        reflected = _along(direction, normal, -2 * _dot(direction, normal))
        seen = (1 - mirror) * seen + mirror * _brightness(point, reflected, depth - 1)
    return seen


if __name__ == "__main__":
    unittest.main()
