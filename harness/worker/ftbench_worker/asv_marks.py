"""What benchmarks for asv import from `asv_runner.benchmarks.mark`, where that is not installed.

The decorators only set the attributes by which benchmarks are found; they put no function around
the one that is measured.
"""


class SkipNotImplemented(NotImplementedError):
    """A benchmark's own way to say that it does not apply."""

    __module__ = "asv_runner.benchmarks.mark"


def benchmark(**attributes):
    """Set attributes of a function or class."""

    def set_on(target):
        for name, value in attributes.items():
            setattr(target, name, value)
        return target

    return set_on


skip_benchmark = benchmark(skip_benchmark=True)


def skip_benchmark_if(condition):
    """Skip the benchmark if the condition holds."""
    return skip_benchmark if condition else benchmark()


def skip_for_params(skip_params_list):
    """Skip these tuples of parameters."""
    return benchmark(skip_params=skip_params_list)


def skip_params_if(skip_params_list, condition):
    """Skip these tuples of parameters if the condition holds."""
    return skip_for_params(skip_params_list) if condition else benchmark()


def parameterize(param_dict):
    """Set the values of each parameter by its name."""
    values = list(param_dict.values())
    return benchmark(params=values if len(values) > 1 else values[0], param_names=list(param_dict))


def timeout_at(seconds):
    """Set asv's time limit."""
    return benchmark(timeout=seconds)


parameterize_class_with = parameterize_func_with = parameterize
timeout_class_at = timeout_func_at = timeout_at
