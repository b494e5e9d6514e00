"""Prints the results of other software with which the tests of harness/analyse/src compare.

Needs NumPy and SciPy: `python -m venv V && V/bin/pip install numpy scipy && V/bin/python THIS`.
"""

import numpy as np
import scipy
from scipy import stats

MICE = np.array([94.0, 197.0, 16.0, 38.0, 99.0, 141.0, 23.0])
DARWIN = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], dtype=float)
DIFFERENCES = np.array([0.02, -0.01, 0.03, 0.05, 0.01])
CLOSE = np.array([0.05, 0.07, 0.04, 0.06, 0.05, 0.08, 0.03, 0.05, 0.06, 0.04])
FAR = np.array([0.02, 0.11, 0.04, 0.09, 0.30, 0.05, 0.01, 0.07, 0.16, 0.03])
RESAMPLES = 200_000


def studentised_interval(values, generator):
    """Bootstrap-t interval of the mean, which SciPy does not provide."""
    count = len(values)
    resamples = generator.choice(values, (RESAMPLES, count))
    errors = resamples.std(axis=1, ddof=1) / np.sqrt(count)
    usable = errors > 0
    ratios = (resamples.mean(axis=1)[usable] - values.mean()) / errors[usable]
    low, high = np.quantile(ratios, [0.025, 0.975])
    error = values.std(ddof=1) / np.sqrt(count)
    return values.mean() - high * error, values.mean() - low * error


def main():
    print("SciPy", scipy.__version__, "NumPy", np.__version__)
    for method in ("percentile", "BCa"):
        found = stats.bootstrap(
            (MICE,), np.mean, n_resamples=RESAMPLES, method=method, random_state=1, batch=10_000
        )
        print("mean of the mice,", method, found.confidence_interval)
    print("mean of the mice, studentised", studentised_interval(MICE, np.random.default_rng(1)))
    student = stats.ttest_1samp(DIFFERENCES, 0)
    print("Student", student, student.confidence_interval())
    print("signed rank", stats.wilcoxon(DARWIN, method="exact"))
    for name, values in (("close", CLOSE), ("far", FAR)):
        print("all on one side,", name, stats.ttest_1samp(values, 0))


if __name__ == "__main__":
    main()
