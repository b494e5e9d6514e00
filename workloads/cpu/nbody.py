# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "N-body simulation: floats and lists, no shared state"
# source = "Computer Language Benchmarks Game, n-body"
# shows = "Lists and floats of its own for each worker: threads scale as the cores do without a GIL"
# ///
"""The Sun and the four giant planets, moved by their gravity: 50 steps per unit.

The problem, its constants and its method (symplectic Euler, steps of 0.01 years) are those of
"n-body" in the Computer Language Benchmarks Game,
https://benchmarksgame-team.pages.debian.net/benchmarksgame/description/nbody.html
Every unit starts afresh from the same state, so every unit ends with the same energy.
"""

from math import pi, sqrt

STEPS = 50
STEP_YEARS = 0.01
SOLAR_MASS = 4 * pi * pi
DAYS_PER_YEAR = 365.24

# Energy after 50 steps. The Game publishes -0.169075164 at the start, -0.169087605 after 1,000.
EXPECTED_ENERGY = -0.16906361797914
TOLERANCE = 1e-9


def bodies():
    """The system at its start, centre of mass at rest: [x, y, z, vx, vy, vz, mass] for each body.

    Lengths in astronomical units, times in years, masses such that the constant of gravity is 1.
    """
    sun = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    jupiter = [
        4.84143144246472090e00,
        -1.16032004402742839e00,
        -1.03622044471123109e-01,
        1.66007664274403694e-03,
        7.69901118419740425e-03,
        -6.90460016972063023e-05,
        9.54791938424326609e-04,
    ]
    saturn = [
        8.34336671824457987e00,
        4.12479856412430479e00,
        -4.03523417114321381e-01,
        -2.76742510726411899e-03,
        4.99852801234917238e-03,
        2.30417297573763929e-05,
        2.85885980666130812e-04,
    ]
    uranus = [
        1.28943695621391310e01,
        -1.51111514016986312e01,
        -2.23307578892655734e-01,
        2.96460137564761618e-03,
        2.37847173959480950e-03,
        -2.96589568540237556e-05,
        4.36624404335156298e-05,
    ]
    neptune = [
        1.53796971148509165e01,
        -2.59193146099879641e01,
        1.79258772950371181e-01,
        2.68067772490389322e-03,
        1.62824170038242295e-03,
        -9.51592254519715870e-05,
        5.15138902046611451e-05,
    ]
    system = [sun, jupiter, saturn, uranus, neptune]
    for body in system:
        body[3:6] = [velocity * DAYS_PER_YEAR for velocity in body[3:6]]
        body[6] *= SOLAR_MASS
    for axis in (3, 4, 5):
        momentum = sum(body[axis] * body[6] for body in system)
        sun[axis] = -momentum / sun[6]
    return system


def advance(system, steps):
    """Move the system by some steps."""
    pairs = [(one, other) for i, one in enumerate(system) for other in system[i + 1 :]]
    for _ in range(steps):
        for one, other in pairs:
            dx = one[0] - other[0]
            dy = one[1] - other[1]
            dz = one[2] - other[2]
            magnitude = STEP_YEARS * (dx * dx + dy * dy + dz * dz) ** -1.5
            pull = other[6] * magnitude
            one[3] -= dx * pull
            one[4] -= dy * pull
            one[5] -= dz * pull
            pull = one[6] * magnitude
            other[3] += dx * pull
            other[4] += dy * pull
            other[5] += dz * pull
        for body in system:
            body[0] += STEP_YEARS * body[3]
            body[1] += STEP_YEARS * body[4]
            body[2] += STEP_YEARS * body[5]


def energy(system):
    """Kinetic and potential energy of the system, which the true motion conserves."""
    total = 0.0
    for i, one in enumerate(system):
        total += 0.5 * one[6] * (one[3] ** 2 + one[4] ** 2 + one[5] ** 2)
        for other in system[i + 1 :]:
            distance = sqrt(sum((one[axis] - other[axis]) ** 2 for axis in range(3)))
            total -= one[6] * other[6] / distance
    return total


def work(data, units):
    """Simulate afresh once per unit; returns the energy at the end of each."""
    energies = []
    for _ in range(units):
        system = bodies()
        advance(system, STEPS)
        energies.append(energy(system))
    return energies


def check(results, units):
    """Every unit ends with the energy that is known."""
    energies = [value for share in results for value in share]
    assert len(energies) == units, f"{len(energies)} simulations, not {units}"
    for value in energies:
        assert abs(value - EXPECTED_ENERGY) < TOLERANCE, f"energy {value!r}, not {EXPECTED_ENERGY}"
