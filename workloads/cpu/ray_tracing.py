# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "Ray tracing of three spheres: small objects, methods and operators of a class"
# source = "Whitted, Communications of the ACM 23 (1980) 343"
# shows = "Classes and methods are shared, instances are not: whether method lookup scales"
# ///
"""Three spheres and a checkered floor, one light, mirrors of depth one: 8 by 6 pixels per unit.

The model is T. Whitted's, "An improved illumination model for shaded display", Communications of
the ACM 23 no. 6 (1980), 343-349: a ray for each pixel, one towards the light, one reflected.
Vectors are instances of a class, as in most ray tracers that people write in Python.
"""

from math import floor, inf, sqrt

WIDTH = 8
HEIGHT = 6
DEPTH = 1  # reflections that are followed
NEAREST = 1e-6  # so that a ray does not hit the surface it starts from
AMBIENT = 0.1

# Sum over all pixels of the pixel's number, from 1, times its brightness from 0 to 255: what the
# same scene gives without classes, in plain formulas (tests/test_cpu_workloads.py).
EXPECTED = 88349


class Vector:
    """Three coordinates."""

    __slots__ = ("x", "y", "z")

    def __init__(self, x, y, z):
        self.x = x
        self.y = y
        self.z = z

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y, self.z + other.z)

    def __sub__(self, other):
        return Vector(self.x - other.x, self.y - other.y, self.z - other.z)

    def __mul__(self, factor):
        return Vector(self.x * factor, self.y * factor, self.z * factor)

    def dot(self, other):
        """The scalar product."""
        return self.x * other.x + self.y * other.y + self.z * other.z

    def unit(self):
        """The vector of length 1 in the same direction."""
        return self * (1.0 / sqrt(self.dot(self)))

    def mirrored(self, normal):
        """The direction of a ray after it met a surface with this normal."""
        return self - normal * (2.0 * self.dot(normal))


class Sphere:
    """A sphere of one brightness."""

    def __init__(self, centre, radius, brightness, mirror):
        self.centre = centre
        self.radius = radius
        self.brightness = brightness
        self.mirror = mirror

    def distance(self, origin, direction):
        """How far along the ray it is met; infinity if it is not."""
        towards = self.centre - origin
        along = towards.dot(direction)
        under_root = along * along - towards.dot(towards) + self.radius * self.radius
        if under_root < 0.0:
            return inf
        root = sqrt(under_root)
        for distance in (along - root, along + root):
            if distance > NEAREST:
                return distance
        return inf

    def normal(self, point):
        """The normal of its surface at a point."""
        return (point - self.centre) * (1.0 / self.radius)

    def brightness_at(self, point):
        """The same everywhere."""
        return self.brightness


class Floor:
    """The plane y = 0 with fields of side 1, light and dark by turns."""

    mirror = 0.0

    def distance(self, origin, direction):
        """How far along the ray it is met; infinity if it is not."""
        if direction.y == 0.0:
            return inf
        distance = -origin.y / direction.y
        return distance if distance > NEAREST else inf

    def normal(self, point):
        """Straight up."""
        return Vector(0.0, 1.0, 0.0)

    def brightness_at(self, point):
        """Light or dark."""
        return 0.9 if (floor(point.x) + floor(point.z)) % 2 == 0 else 0.3


class Scene:
    """What there is to see, a light, and an eye."""

    def __init__(self):
        self.things = [
            Sphere(Vector(0.0, 1.0, 4.0), 1.0, 0.8, 0.3),
            Sphere(Vector(-1.6, 0.6, 3.0), 0.6, 0.6, 0.0),
            Sphere(Vector(1.4, 0.5, 2.8), 0.5, 0.9, 0.5),
            Floor(),
        ]
        self.light = Vector(-4.0, 6.0, -2.0)
        self.eye = Vector(0.0, 1.2, -2.0)

    def nearest(self, origin, direction):
        """The first thing that a ray meets, or None, and how far away it is."""
        found, shortest = None, inf
        for thing in self.things:
            distance = thing.distance(origin, direction)
            if distance < shortest:
                found, shortest = thing, distance
        return found, shortest

    def brightness(self, origin, direction, depth):
        """What is seen along a ray, from 0 to 1; the sky is black."""
        thing, distance = self.nearest(origin, direction)
        if thing is None:
            return 0.0
        point = origin + direction * distance
        normal = thing.normal(point)
        towards_light = self.light - point
        light_distance = sqrt(towards_light.dot(towards_light))
        towards_light = towards_light * (1.0 / light_distance)
        lit = AMBIENT
        if self.nearest(point, towards_light)[1] >= light_distance:
            lit += (1.0 - AMBIENT) * max(0.0, normal.dot(towards_light))
        seen = thing.brightness_at(point) * lit
        if thing.mirror and depth > 0:
            reflected = self.brightness(point, direction.mirrored(normal).unit(), depth - 1)
            seen = (1.0 - thing.mirror) * seen + thing.mirror * reflected
        return seen


def picture(scene):
    """Sum over all pixels of the pixel's number, from 1, times its brightness from 0 to 255."""
    total = 0
    for row in range(HEIGHT):
        for column in range(WIDTH):
            x = (column + 0.5) / WIDTH * 2.0 - 1.0
            y = 1.0 - (row + 0.5) / HEIGHT * 2.0
            direction = Vector(x, 0.75 * y, 1.5).unit()
            seen = scene.brightness(scene.eye, direction, DEPTH)
            total += (row * WIDTH + column + 1) * int(255.0 * seen)
    return total


def work(data, units):
    """Draw the picture afresh once per unit, from a scene of its own; returns all checksums."""
    return [picture(Scene()) for _ in range(units)]


def check(results, units):
    """Every picture is the one that is known."""
    totals = [total for share in results for total in share]
    assert len(totals) == units, f"{len(totals)} pictures, not {units}"
    for total in totals:
        assert total == EXPECTED, f"a picture with checksum {total}, not {EXPECTED}"
