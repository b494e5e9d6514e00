# /// script
# requires-python = ">=3.9"
# dependencies = []
#
# [tool.ftbench]
# kind = "cpu"
# summary = "Small patterns of everyday Python that ought to scale: one row for each"
# source = "The idea is S. Gross's, in CPython's Tools/ftscalingbench; the code is ftbench's own"
# shows = "Which parts of the interpreter still make threads wait for each other without the GIL"
# models = ["serial", "threads"]
#
# [tool.ftbench.cases]
# function_call = "Calls a function of the module"
# method_call = "Calls a method of an object of its own"
# module_attribute = "Reads a float out of another module"
# constants = "Loads constants: a long string, a large integer, a tuple"
# closure = "Makes closures and calls them"
# generator = "Makes generators and runs them to their end"
# exceptions = "Raises exceptions and catches them"
# string_formatting = "Formats numbers in f-strings"
# dataclass = "Makes instances of a dataclass and reads their fields"
# named_tuple = "Makes named tuples and reads their fields"
# enumeration = "Looks up members of an Enum, by name and by value"
# class_creation = "Makes classes, with a method each"
# abstract_isinstance = "Asks isinstance of an abstract base class"
# attribute_getter = "Calls one operator.attrgetter that all share"
# context_manager = "Enters and leaves a contextlib.contextmanager"
# deepcopy = "Deep copies of a small nested structure"
# weak_reference = "Makes weak references and follows them"
# thread_local = "Reads and writes an attribute of a threading.local"
# import_statement = "Runs an import statement for a module that is loaded"
# logging_disabled = "Logs below the logger's level"
# random_number = "Draws from the generator that the module random shares"
# json_encoding = "Encodes small objects with json.dumps and its shared encoder"
# warnings = "Issues warnings that a filter ignores"
# ctypes_call = "Calls a C function through ctypes"
# asyncio_tasks = "Makes tasks on an event loop of its own and awaits them"
# ///
"""Small patterns, each of which ought to scale with threads, and on some builds does not.

Workers share nothing that changes, as far as the code below shows. What they do share is hidden:
a type's or a module's dictionary, a cache, a lock in the library, the reference count of a
constant. A row that does not scale names a bottleneck in the interpreter or in its library.
`serial` beside `threads` with one worker shows what a thread that has not made the shared objects
pays for using them.

3.13 without the GIL makes functions and classes immortal that are there when the first thread
starts, https://docs.python.org/3.13/howto/free-threading-python.html#immortalization, and a file is
loaded before that. What is made later, or in a function as dataclasses do, is counted.
"""

import asyncio
import calendar
import contextlib
import copy
import ctypes
import dataclasses
import enum
import json
import logging
import operator
import random
import threading
import warnings
import weakref
from collections import namedtuple
from collections.abc import Mapping


def per_unit(unit):
    """Make `work` from a function that does one unit; it returns the results of all units."""

    def work(data, units):
        return [unit() for _ in range(units)]

    return work


def expecting(total):
    """A `check` for units that all return the same, which is worked out here by other means."""

    def check(results, units):
        totals = [value for share in results for value in share]
        assert len(totals) == units, f"{len(totals)} units were done, not {units}"
        for value in totals:
            assert value == total, f"a unit gave {value!r}, not {total!r}"

    return check


def sum_to(last):
    """1 + 2 + ... + last."""
    return last * (last + 1) // 2


# Calls and names


def double(number):
    return 2 * number


@per_unit
def work_function_call():
    total = 0
    for number in range(1, 5001):
        total += double(number)
    return total


check_function_call = expecting(2 * sum_to(5000))


class Account:
    def __init__(self):
        self.balance = 0

    def pay_in(self, amount):
        self.balance += amount


@per_unit
def work_method_call():
    account = Account()
    for number in range(1, 5001):
        account.pay_in(number)
    return account.balance


check_method_call = expecting(sum_to(5000))

calendar.ftbench_factor = 0.5  # a float is counted, while small integers are immortal


@per_unit
def work_module_attribute():
    total = 0.0
    for _ in range(5000):
        total += calendar.ftbench_factor
    return total


check_module_attribute = expecting(2500.0)


@per_unit
def work_constants():
    total = 0
    for _ in range(5000):
        text = "a string that is too long to be taken for a name"
        number = 10**30
        pair = (1.5, "two")
        total += (text is not None) + (number is not None) + (pair is not None)
    return total


check_constants = expecting(3 * 5000)


def adder(number):
    def add(other):
        return number + other

    return add


@per_unit
def work_closure():
    total = 0
    for number in range(1, 3001):
        total += adder(number)(1)
    return total


check_closure = expecting(sum_to(3000) + 3000)


def count_to(last):
    number = 1
    while number <= last:
        yield number
        number += 1


@per_unit
def work_generator():
    total = 0
    for _ in range(500):
        for number in count_to(10):
            total += number
    return total


check_generator = expecting(500 * sum_to(10))


class Refused(Exception):
    pass


def refuse(number):
    raise Refused(number)


@per_unit
def work_exceptions():
    total = 0
    for number in range(1, 1001):
        try:
            refuse(number)
        except Refused as refused:
            total += refused.args[0]
    return total


check_exceptions = expecting(sum_to(1000))


@per_unit
def work_string_formatting():
    length = 0
    for number in range(1000, 2000):
        length += len(f"{number}: {number / 2:.3f} of {number:>8}")
    return length


check_string_formatting = expecting(1000 * len("1000: 500.000 of     1000"))

# Classes and instances


@dataclasses.dataclass
class Place:
    name: str
    x: int
    y: int = 1


@per_unit
def work_dataclass():
    total = 0
    for number in range(1, 1501):
        place = Place("here", number)
        total += place.x + place.y
    return total


check_dataclass = expecting(sum_to(1500) + 1500)

Row = namedtuple("Row", "name x y")


@per_unit
def work_named_tuple():
    total = 0
    for number in range(1, 1501):
        row = Row("here", number, 1)
        total += row.x + row.y
    return total


check_named_tuple = expecting(sum_to(1500) + 1500)


class State(enum.Enum):
    OPEN = 1
    CLOSED = 2


@per_unit
def work_enumeration():
    total = 0
    for _ in range(1500):
        total += (State(2) is State.CLOSED) + (State(1) is not State.CLOSED)
    return total


check_enumeration = expecting(2 * 1500)


@per_unit
def work_class_creation():
    total = 0
    for number in range(1, 21):

        class Made:
            value = number

            def get(self):
                return self.value

        total += Made().get()
    return total


check_class_creation = expecting(sum_to(20))


@per_unit
def work_abstract_isinstance():
    table = {}
    total = 0
    for _ in range(1500):
        total += isinstance(table, Mapping) + (not isinstance(total, Mapping))
    return total


check_abstract_isinstance = expecting(2 * 1500)

balance_of = operator.attrgetter("balance")


@per_unit
def work_attribute_getter():
    account = Account()
    account.balance = 3
    total = 0
    for _ in range(4000):
        total += balance_of(account)
    return total


check_attribute_getter = expecting(3 * 4000)

# The library


@contextlib.contextmanager
def opened(number):
    yield number


@per_unit
def work_context_manager():
    total = 0
    for number in range(1, 501):
        with opened(number) as given:
            total += given
    return total


check_context_manager = expecting(sum_to(500))


@per_unit
def work_deepcopy():
    nested = {"name": "order", "lines": [{"item": 1, "prices": [100, 200]}, {"item": 2}]}
    total = 0
    for _ in range(20):
        copied = copy.deepcopy(nested)
        total += (copied == nested) + (copied["lines"][0] is not nested["lines"][0])
    return total


check_deepcopy = expecting(2 * 20)


@per_unit
def work_weak_reference():
    total = 0
    for _ in range(1000):
        account = Account()
        reference = weakref.ref(account)
        total += reference() is account
        del account
        total += reference() is None
    return total


check_weak_reference = expecting(2 * 1000)

of_this_thread = threading.local()


@per_unit
def work_thread_local():
    of_this_thread.total = 0
    for number in range(1, 3001):
        of_this_thread.total += number
    return of_this_thread.total


check_thread_local = expecting(sum_to(3000))


@per_unit
def work_import_statement():
    total = 0
    for _ in range(1000):
        import calendar as imported
        from json import dumps

        total += (imported is calendar) + (dumps is json.dumps)
    return total


check_import_statement = expecting(2 * 1000)

logger = logging.getLogger("ftbench.patterns")


class Records(logging.Handler):
    """What was logged after all."""

    seen = 0

    def emit(self, record):
        Records.seen += 1


def setup_logging_disabled(units):
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    logger.handlers = [Records()]


@per_unit
def work_logging_disabled():
    total = 0
    for number in range(1, 2001):
        logger.debug("number %d", number)
        total += number
    return total - Records.seen


check_logging_disabled = expecting(sum_to(2000))


@per_unit
def work_random_number():
    total = 0
    for _ in range(4000):
        total += 0.0 <= random.random() < 1.0
    return total


check_random_number = expecting(4000)


@per_unit
def work_json_encoding():
    length = 0
    for number in range(100, 300):
        length += len(json.dumps({"id": number, "tags": ["a", "b"]}))
    return length


check_json_encoding = expecting(200 * len('{"id": 100, "tags": ["a", "b"]}'))


class Ignored(UserWarning):
    pass


def setup_warnings(units):
    warnings.simplefilter("ignore", Ignored)


@per_unit
def work_warnings():
    total = 0
    for number in range(1, 301):
        warnings.warn("nothing to see", Ignored, stacklevel=1)
        total += number
    return total


check_warnings = expecting(sum_to(300))

absolute_value = ctypes.CDLL(None).abs


@per_unit
def work_ctypes_call():
    total = 0
    for number in range(1, 1501):
        total += absolute_value(-number)
    return total


check_ctypes_call = expecting(sum_to(1500))


async def a_number(number):
    await asyncio.sleep(0)
    return number


async def gather_units(units):
    return [sum(await asyncio.gather(*map(a_number, range(1, 51)))) for _ in range(units)]


def work_asyncio_tasks(data, units):
    return asyncio.run(gather_units(units))


check_asyncio_tasks = expecting(sum_to(50))
