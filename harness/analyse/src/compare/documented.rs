//! Default values for the variance between runs without a history, with their sources.

/// A class of cells whose runs have about the same variance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Class {
    /// Whether the machine's drift, as measured by the ceiling's kernels, is removed.
    pub corrected: bool,
    /// Whether the workers run on several PUs at once.
    pub several_pus: bool,
}

impl Class {
    /// Returns the class of cells with these properties.
    pub const fn of(corrected: bool, pus: usize) -> Self {
        Self {
            corrected,
            several_pus: pus > 1,
        }
    }
}

/// Standard deviations between runs, of the logarithm of a time, that are assumed without a history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct DocumentedDeviations {
    /// The deviation that all cells of a run have in common.
    pub common: f64,
    /// The deviation of a single cell's own.
    pub own: f64,
}

/// Standard deviation between runs that cells have in common, with the machine's drift removed. In three standard runs
/// of two workloads within an hour on a quiet 2-core virtual machine, the median over cells varied by up to 1.1 %
/// relative to the kernels, which is 0.8 % for one run, and the cells varied around it by 1.7 to 2.5 % including noise
/// within runs, which is 1.2 to 1.8 %.
const COMMON_CORRECTED: f64 = 0.010;

/// The same without removing drift. The same code on a 2-core virtual machine varied by 5 to 10 % from hour to hour,
/// which is the range of some standard deviations; 100 runs on hosted runners had a coefficient of variation of 2.66 %
/// (CodSpeed, "Benchmarks in CI: Escaping the Cloud Chaos"); on bare metal, pyperformance's benchmarks were within 3 %
/// of their earlier results in 90 % of cases (faster-cpython/ideas 551), which is 1.3 % for one run. The value is
/// conservative.
const COMMON_RAW: f64 = 0.035;

/// Standard deviation of a single cell's own; the source is that of [`COMMON_CORRECTED`].
const OWN: f64 = 0.013;

/// Some of the causes that make the rounds of a run differ last longer than a run. This share of the standard deviation
/// of one round is therefore added between runs. Three sets of identical runs on a 2-core virtual machine whose PUs
/// share cores with others gave up to 0.2 on one PU and 0.3 to 1 on several, with the drift removed
/// (docs/decisions.md). On a quiet machine, whose rounds differ by 1 %, it adds next to nothing.
const LASTING_ON_ONE_PU: f64 = 0.2;
const LASTING_ON_SEVERAL_PUS: f64 = 1.0;

impl DocumentedDeviations {
    /// Returns the values for a class of cells in which the logarithm of a time in one round has the standard deviation
    /// `round`.
    pub fn of(class: Class, round: f64) -> Self {
        let quiet = if class.corrected {
            COMMON_CORRECTED
        } else {
            COMMON_RAW
        };
        let lasting = if class.several_pus {
            LASTING_ON_SEVERAL_PUS
        } else {
            LASTING_ON_ONE_PU
        };
        Self {
            common: quiet.hypot(lasting * round),
            own: OWN,
        }
    }
}

/// Degrees of freedom of the documented values if they are used alone. The values are conservative, but machines
/// differ. In the simulation with this number, at most 5 % of identical runs are called different, and a change of 10 %
/// is detected in 80 %.
pub(super) const DOCUMENTED_DEGREES: f64 = 16.0;

/// Degrees of freedom of the documented values when combined with a history: fewer, because a history is specific to
/// its machine.
pub(super) const DOCUMENTED_WEIGHT: f64 = 8.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_of_rounds_adds_to_the_deviation_between_runs() {
        let common = |pus, round| DocumentedDeviations::of(Class::of(true, pus), round).common;
        assert!((common(1, 0.0) - 0.010).abs() < 1e-12 && common(1, 0.0) == common(8, 0.0));
        // The rounds hardly matter on a quiet machine, but do on a shared one.
        assert!(common(8, 0.004) < 0.011);
        assert!((common(1, 0.1) - 0.010_f64.hypot(0.02)).abs() < 1e-12);
        assert!((common(2, 0.1) - 0.010_f64.hypot(0.1)).abs() < 1e-12);
    }
}
