"""Benchmarks for asv: every form, in every model."""

import json
import os
import subprocess
import sys
import textwrap
import unittest

from support import MODELS, PROCESS_MODELS, WORKER_FOLDER, WorkerTestCase, worker_module

# Each function notes what is called, and in which order, beside the file.
FILE = """
import os
from time import sleep

def note(text):
    with open(__file__ + ".notes", "a") as file: file.write(text)

def setup(*args): note("M")
def teardown(*args): note("m")

def time_plain(): note("f")

def of_function(n, word): note("F%d%s" % (n, word))
def time_params(n, word): note("f")
time_params.params = ([1, 2], ["a", "b"])
time_params.param_names = ["n", "word"]
time_params.setup = of_function
time_params.teardown = lambda n, word: note("t")

def TimeCamel(): note("C")

class Base:
    def time_inherited(self): note(self.text)

class Suite(Base):
    text = "i"
    def setup(self): self.set_up_by = id(self); note("S")
    def tearDown(self): assert self.set_up_by == id(self); note("s")

    def time_method(self): note("x")
    def TimeMethod(self): note("y")
    def track_value(self): note("v"); return 3
    def peakmem_list(self): note("p")

class Numbered:
    def setup(self): self.number = 2; self.left = 2; note("[")
    def teardown(self): note("]")
    def time_numbered(self): self.left -= 1; assert self.left >= 0; note("n"); sleep(0.001)

class Cached:
    def setup_cache(self): note("K"); open("cached", "w").close(); self.lost = 1; return [7]
    def setup(self, cached, n): assert os.path.exists("cached"); note("k")
    def time_cached(self, cached, n):
        assert cached == [7] and not hasattr(self, "lost"); note(str(n))
Cached.params = [5]

class Raw:
    def timeraw_code(self):
        note("r"); return f"open({__file__ + '.notes'!r}, 'a').write('w'); print(1)", "x = 1"

class _Hidden:
    def time_hidden(self): pass
def time(): pass
def helper(): pass
"""
# What two units in `serial` write, and the teardown after them.
NOTES = {
    "time_plain": "Mffm",
    "time_params(1, 'a')": "MF1afftm",
    "time_params(1, 'b')": "MF1bfftm",
    "time_params(2, 'a')": "MF2afftm",
    "time_params(2, 'b')": "MF2bfftm",
    "TimeCamel": "MCCm",
}
