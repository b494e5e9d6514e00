"""Calls as workloads: a statement that is executed once per unit, as `timeit` does."""

from ftbench_worker.failure import ContractError, failing_as

# `ast.PyCF_ALLOW_TOP_LEVEL_AWAIT` and `inspect.CO_COROUTINE`, whose modules are slow to import.
_ALLOW_TOP_LEVEL_AWAIT = 0x2000
_CO_COROUTINE = 0x80

# The function that the loop is compiled into, and the same for statements that await. Its own names
# may not be those of the user's, such as `data`.
_WORK = """
def work(_ftbench_data, _ftbench_units):
    for _ftbench_unit in range(_ftbench_units):
{call}
"""
_WORK_ASYNC = _WORK.replace("def work", "async def work_async")


class Call:
    """A call, and the statements that make the names in it.

    The names are globals, as they are where programs make such calls. A call that gives an
    awaitable is awaited, by the models without an event loop on one of its own in each share.
    """

    def __init__(self, call, setup, loops):
        self._call = call
        self._loops = loops
        self._setup = compile(setup, "<setup>", "exec")
        self._globals = {"__name__": "ftbench_call"}
        self._is_awaited = _awaits(call)
        self._work = None

    def functions(self):
        """The contract's functions."""
        return {"setup": self.set_up, "work": self.work, "work_async": self.work_async}

    def set_up(self, units):
        """Make the names, and the loop around the call."""
        exec(self._setup, self._globals)
        call = self._call
        with failing_as("work"):
            gives_awaitable = not self._is_awaited and _gives_awaitable(call, self._globals)
        if gives_awaitable:
            self._is_awaited = True
            call = f"await ({call})"
        template = _WORK_ASYNC if self._is_awaited else _WORK
        source = template.format(call="        " + call.replace("\n", "\n        "))
        exec(compile(source, "<call>", "exec"), self._globals)
        if self._is_awaited:
            self._loops.check()
        self._work = self._globals["work_async" if self._is_awaited else "work"]

    def work(self, data, units):
        """Execute the call once per unit."""
        if self._is_awaited:
            self._loops.run(self._work(data, units))
        else:
            self._work(data, units)

    async def work_async(self, data, units):
        """The same inside a task."""
        if self._is_awaited:
            await self._work(data, units)
        else:
            self._work(data, units)


def _awaits(call):
    """Whether the text has an `await` of its own."""
    code = compile(call, "<call>", "exec", flags=_ALLOW_TOP_LEVEL_AWAIT)
    return bool(code.co_flags & _CO_COROUTINE)


def _gives_awaitable(call, names):
    """Whether it is an expression whose value is to be awaited, by calling it once."""
    try:
        code = compile(call, "<call>", "eval")
    except SyntaxError:  # statements have no value
        return False
    try:
        value = eval(code, names)
    except NameError as error:
        if error.__traceback__.tb_next.tb_next is not None:  # it is inside a function
            raise
        raise ContractError(f"{error}; make it with --setup 'from MODULE import NAME'") from None
    if not hasattr(type(value), "__await__"):
        return False
    if hasattr(value, "close"):
        value.close()  # or Python warns that the coroutine was never awaited
    return True
