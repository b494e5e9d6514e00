//! How far runs lie apart where no history tells: values with their sources.

/// Cells whose runs lie about as far apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Class {
    /// Whether the machine's drift, as the ceiling's kernels saw it, is taken out.
    pub corrected: bool,
    /// Whether the workers run on several PUs at once.
    pub several_pus: bool,
}

impl Class {
    /// The class of cells of this kind.
    pub const fn of(corrected: bool, pus: usize) -> Self {
        Self {
            corrected,
            several_pus: pus > 1,
        }
    }
}

/// Standard deviations between runs, of the logarithm of a time, that are taken for granted without a history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Documented {
    /// Of what all cells of a run have in common.
    pub common: f64,
    /// Of what a cell has for itself.
    pub own: f64,
}

/// Standard deviation between runs of what cells have in common, with the machine's drift taken out. Three standard runs
/// of two workloads, within an hour on a quiet 2-core virtual machine: the median over cells moved by up to 1.1 % against
/// the kernels, which is 0.8 % for one run, and the cells about it by 1.7 to 2.5 %, noise within runs included, which is
/// 1.2 to 1.8 %.
const COMMON_CORRECTED: f64 = 0.010;

/// As measured. The same code on a 2-core virtual machine moved by 5 to 10 % from hour to hour, which is the range of some
/// standard deviations; 100 runs on hosted runners had a coefficient of variation of 2.66 % (CodSpeed, "Benchmarks in CI:
/// Escaping the Cloud Chaos"), bare metal had pyperformance's benchmarks within 3 % of their earlier selves in 90 % of
/// cases (faster-cpython/ideas 551), which is 1.3 % for one run. It is on the careful side.
const COMMON_RAW: f64 = 0.035;

/// Of what a cell has for its own; the source is that of [`COMMON_CORRECTED`].
const OWN: f64 = 0.013;

/// What makes the rounds of a run differ lasts in part longer than a run: as a share of the standard deviation of one
/// round, this much lies between runs besides. Three sets of identical runs on a 2-core virtual machine whose PUs share
/// cores with others (docs/decisions.md): up to 0.2 on one PU, 0.3 to 1 on several, with the drift taken out.
/// On a quiet machine, whose rounds differ by 1 %, it adds next to nothing.
const LASTING_ON_ONE_PU: f64 = 0.2;
const LASTING_ON_SEVERAL_PUS: f64 = 1.0;

impl Documented {
    /// For a class of cells, one round of which has the standard deviation `round`, of the logarithm of a time.
    pub fn of(class: Class, round: f64) -> Self {
        let steady = if class.corrected {
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
            common: steady.hypot(lasting * round),
            own: OWN,
        }
    }
}

/// Degrees of freedom of the documented values where they stand alone. They are on the careful side, but machines
/// differ: the simulation with them calls no more than 5 % of identical runs different, and finds 10 % in 80 %.
pub(super) const DOCUMENTED_DEGREES: f64 = 16.0;

/// Degrees of freedom that they count for beside those of a history, which knows this machine.
pub(super) const DOCUMENTED_WEIGHT: f64 = 8.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_rounds_differ_lasts_in_part() {
        let common = |pus, round| Documented::of(Class::of(true, pus), round).common;
        assert!((common(1, 0.0) - 0.010).abs() < 1e-12 && common(1, 0.0) == common(8, 0.0));
        // A quiet machine's rounds hardly matter, those of a machine that others use do.
        assert!(common(8, 0.004) < 0.011);
        assert!((common(1, 0.1) - 0.010_f64.hypot(0.02)).abs() < 1e-12);
        assert!((common(2, 0.1) - 0.010_f64.hypot(0.1)).abs() < 1e-12);
    }
}
