"""Which object lies at an address, how it is reached, and which of its fields is there.

Objects are found by a walk from modules and other roots along references, so that those which the
garbage collector does not track are found too. The walk before the samples must not change what is
measured: it asks nothing of the objects themselves. The one after them also asks for names.
"""

import contextlib
import ctypes
import gc
import sys
import threading
from bisect import bisect_right
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)

from ftbench_worker.workload import MODULE_PREFIX

# A walk ends when it has found this many objects. It takes about a second then.
_MAX_OBJECTS = 300_000

# Elements of a list or tuple that are visited.
_MAX_ELEMENTS = 10_000

# Parts of a path to an object that are shown.
_MAX_PARTS = 8

# Flag of types that are made at run time, such as classes (`Py_TPFLAGS_HEAPTYPE` in
# Include/object.h).
_HEAP_TYPE = 1 << 9

# Flag of types whose instances have the values of their attributes behind them
# (`Py_TPFLAGS_INLINE_VALUES` in Include/object.h), and the maximum size of these: 30 values
# (`SHARED_KEYS_MAX_SIZE` in Include/internal/pycore_dict.h) behind 8 bytes for their sizes.
_INLINE_VALUES = 1 << 2
_INLINE_VALUES_BYTES = 8 + 30 * 8

# The members of an object's header by offset (Include/object.h): of free-threaded builds and
# others, in 3.13 to 3.15.
_FREE_THREADED = {
    range(8): "owner",
    range(10, 11): "object lock",
    range(12, 16): "reference count of its owner",
    range(16, 24): "shared reference count",
    range(24, 32): "type",
}
_WITH_GIL = {range(8): "reference count", range(8, 16): "type"}


class Layout:
    """The layout of objects in this interpreter; `is_known` is whether a probe confirmed it."""

    def __init__(self):
        self.is_free_threaded = "t" in getattr(sys, "abiflags", "")
        self._fields = _FREE_THREADED if self.is_free_threaded else _WITH_GIL
        self.header_bytes = max(field.stop for field in self._fields)
        self.is_known = sys.version_info[:2] in ((3, 13), (3, 14), (3, 15)) and self._is_right()

    def _is_right(self):
        """Whether it describes an object to which references are added."""
        probe = _Probe()
        address = id(probe)
        if word(address + self.header_bytes - 8) != id(_Probe):
            return False
        references = []
        if not self.is_free_threaded:
            before = word(address) & 0xFFFFFFFF
            references.append(probe)
            return (word(address) & 0xFFFFFFFF) - before == 1
        if word(address) != threading.get_ident():
            return False
        before = _half_word(address + 12), word(address + 16)
        references.append(probe)
        other = threading.Thread(target=references.extend, args=((probe, probe),))
        other.start()
        other.join()
        del other
        # The other thread's references are those that `extend` made there; the lowest two bits of
        # the shared count are flags.
        return _half_word(address + 12) > before[0] and word(address + 16) >> 2 > before[1] >> 2

    def field(self, offset):
        """The member of an object's header at this offset; None behind the header."""
        for places, name in self._fields.items():
            if offset in places:
                return name
        return None if offset >= self.header_bytes else "header"


class _Probe:
    """An object to probe the layout with."""

    __slots__ = ()


def word(address):
    """The 64-bit number at an address."""
    return ctypes.c_uint64.from_address(address).value


def _half_word(address):
    return ctypes.c_uint32.from_address(address).value


def living(roots):
    """The type's address of each object that lives now, by the object's address."""
    return {id(one): id(type(one)) for one, _, _ in _walk(roots, with_names=False)}


def resolve(addresses, code, roots, before, layout):
    """The object at each address, and the name of the function of each code object.

    An object is None where none is known, and otherwise a dictionary: its `type`, its `size` in
    bytes, the `field` at the address, and its `path`, None unless it has lived since `before`.
    """
    found = _walk(roots, with_names=True)
    names = {id(one): one.co_qualname for one, _, _ in found if type(one) is CodeType}
    functions = [names.get(address) for address in code]
    if not layout.is_known:
        return [None] * len(addresses), functions
    regions = sorted(_regions(found), key=lambda region: region[0])
    starts = [region[0] for region in regions]
    objects = []
    for address in addresses:
        index = bisect_right(starts, address) - 1
        start, end, what, field = regions[index] if index >= 0 else (0, 0, 0, None)
        if address >= end:
            objects.append(None)
            continue
        one = found[what][0]
        lived = before.get(id(one)) == id(type(one))
        objects.append(
            {
                "type": _type_name(type(one)),
                "size": _size(one),
                "field": field or layout.field(address - start) or _own_data(one),
                "path": _path(found, what) if lived else None,
            }
        )
    return objects, functions


def _walk(roots, with_names):
    """The objects that can be reached, nearest first: each with the index of the one that holds it
    and, `with_names`, how it is written after that one's name."""
    found = [(root, None, name) for name, root in roots.items()]
    found += [
        (module, None, name)
        for name, module in list(sys.modules.items())
        if issubclass(type(module), ModuleType)
    ]
    seen = {id(one) for one, _, _ in found}
    # Objects of the walk itself are not part of the program.
    seen |= {id(found), id(seen), id(roots)}
    index = 0
    while index < len(found) and len(found) < _MAX_OBJECTS:
        one = found[index][0]
        parts = _named_parts(one) if with_names else ()
        for suffix, part in (*parts, *((None, part) for part in _parts(one))):
            if id(part) not in seen:
                seen.add(id(part))
                found.append((part, index, suffix))
        index += 1
    return found


def _parts(one):
    if type(one) is CodeType:
        # Before 3.14 the collector does not know what code holds.
        return list(one.co_consts)
    parts = gc.get_referents(one)
    return parts if len(parts) <= _MAX_ELEMENTS else parts[:_MAX_ELEMENTS]


def _named_parts(one):
    """What this object holds, and how that is written after its name."""
    kind = type(one)
    named = _NAMED.get(kind)
    if named is not None:
        return list(named(one))
    if issubclass(kind, (ModuleType, type)):
        return [(f".{name}", part) for name, part in list(vars(one).items())]
    if kind.__flags__ & _HEAP_TYPE:
        return [*_attributes(one), (".__class__", kind)]
    return []


def _elements(one):
    return ((f"[{place}]", part) for place, part in enumerate(one[:_MAX_ELEMENTS]))


def _values(one):
    return ((f"[{key!r}]", part) for key, part in list(one.items()) if type(key) in (str, int))


def _parts_of_function(one):
    yield ".__code__", one.__code__
    yield ".__defaults__", one.__defaults__
    for name, cell in zip(one.__code__.co_freevars, one.__closure__ or ()):
        yield f" (closure's {name})", cell


def _constants(code):
    return ((f".co_consts[{place}]", part) for place, part in enumerate(code.co_consts))


def _content(cell):
    try:
        yield ".cell_contents", cell.cell_contents
    except ValueError:
        return


_NAMED = {
    list: _elements,
    tuple: _elements,
    dict: _values,
    FunctionType: _parts_of_function,
    CodeType: _constants,
    CellType: _content,
    MethodType: lambda one: [(".__self__", one.__self__), (".__func__", one.__func__)],
    BuiltinFunctionType: lambda one: [(".__self__", one.__self__)],
}


def _attributes(one):
    """The attributes of an instance of a class, without calling code of the class."""
    for base in type(one).__mro__:
        for name, descriptor in list(vars(base).items()):
            kind = type(descriptor)
            if kind is MemberDescriptorType:
                with contextlib.suppress(AttributeError):
                    yield f".{name}", descriptor.__get__(one)
            elif kind is GetSetDescriptorType and name == "__dict__":
                for key, part in list(descriptor.__get__(one).items()):
                    yield f".{key}", part


def _regions(found):
    """The memory of each object: from where, to where, which object, and a field's name or None."""
    for index, (one, _, _) in enumerate(found):
        kind = type(one)
        start = id(one)
        end = start + kind.__basicsize__
        if kind is tuple:
            end += kind.__itemsize__ * len(one)
        yield start, end, index, None
        if kind.__flags__ & _INLINE_VALUES:
            yield end, end + _INLINE_VALUES_BYTES, index, "attributes"
        elif kind is list and one:
            # `ob_item` comes after the header and the size (Include/cpython/listobject.h).
            elements = word(start + kind.__basicsize__ - 16)
            yield elements, elements + 8 * len(one), index, "elements"
        elif kind is dict and one:
            # `ma_keys` is the last member but one (Include/cpython/dictobject.h).
            keys = word(start + kind.__basicsize__ - 16)
            yield keys, keys + sys.getsizeof(one) - kind.__basicsize__, index, "keys and values"
        elif kind in _LOCKS and sys.version_info < (3, 14):
            # The system's semaphore, to which the object has a pointer after its header.
            semaphore = word(start + _HEADER_BYTES)
            # A lock that was never used has none.
            if not semaphore:
                continue
            yield semaphore, semaphore + _SEMAPHORE_BYTES, index, "lock"


_LOCKS = (type(threading.Lock()), type(threading.RLock()))
_HEADER_BYTES = object.__basicsize__
# `sizeof(sem_t)` on 64-bit Linux.
_SEMAPHORE_BYTES = 32


def _size(one):
    """The object's size in bytes; 0 if its class raises an exception."""
    try:
        return sys.getsizeof(one, 0)
    except Exception:
        return 0


def _own_data(one):
    if type(one) in _LOCKS:
        return "lock"
    return "its own data"


def _type_name(kind):
    module = getattr(kind, "__module__", None)
    # A class of the workload's own file is called as it is there.
    is_own = type(module) is not str or module == "builtins" or module.startswith(MODULE_PREFIX)
    return kind.__qualname__ if is_own else f"{module}.{kind.__qualname__}"


def _path(found, index):
    """How an object is reached, such as `module.NAME.attribute`; a part without a name is `...`."""
    parts = []
    while index is not None:
        _, index, name = found[index]
        parts.append("..." if name is None else name)
    if len(parts) > _MAX_PARTS:
        parts[_MAX_PARTS // 2 : -_MAX_PARTS // 2] = ["..."]
    return "".join(reversed(parts))
