//! Bounded least squares for the scaling laws.
//!
//! Inverted, every law is linear in its parameters: N / speedup = 1 + s (N - 1) + k N (N - 1) for Amdahl's and
//! Gunther's, speedup = N - s (N - 1) for Gustafson's. Fitting that line directly has the wrong weights, because an
//! error of 1 % counts more at a large N / speedup than at a small one. Speedups are ratios of times with about the
//! same relative error everywhere. Therefore the fit minimises the sum of squares of log(measured / law), in which
//! every number of workers has the same weight. The Gauss-Newton steps towards it are weighted linear fits; with two
//! parameters, the bounded minimum of each step has a closed form.

use ftbench_schema::Law;

/// Maximum number of steps. Speedups within 20 % of a law take four steps, erratic ones ten.
const MAX_STEPS: usize = 40;

/// The fit ends when a step reduces the sum of squares by less than this share.
const MIN_GAIN: f64 = 1e-10;

/// The fitted parameters. Crosstalk is 0 for laws without it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameters {
    /// From 0 to 1.
    pub serial_fraction: f64,
    /// The cost of each pair of workers as a share of the work (kappa); at least 0.
    pub crosstalk: f64,
}

/// One number of workers, with the inverted law: `constant + serial * s + crosstalk * k`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    constant: f64,
    serial: f64,
    crosstalk: f64,
}

impl Row {
    fn of(law: Law, workers: f64) -> Self {
        let others = workers - 1.0;
        match law {
            Law::Amdahl => Self {
                constant: 1.0,
                serial: others,
                crosstalk: 0.0,
            },
            Law::Usl => Self {
                constant: 1.0,
                serial: others,
                crosstalk: workers * others,
            },
            Law::Gustafson => Self {
                constant: workers,
                serial: -others,
                crosstalk: 0.0,
            },
        }
    }

    /// At least 1 within the bounds.
    fn line(self, at: Parameters) -> f64 {
        self.constant + self.serial * at.serial_fraction + self.crosstalk * at.crosstalk
    }
}

/// The deviation of a line from the measured value, and its derivative with respect to the line.
#[derive(Debug, Clone, Copy)]
struct Residual {
    value: f64,
    slope: f64,
}

/// The errors that are minimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Errors {
    /// Errors of the logarithm.
    Relative,
    /// Errors of the speedup itself, for comparison with published fits.
    #[cfg(test)]
    OfSpeedup,
    /// Errors of N / speedup, for comparison with published fits.
    #[cfg(test)]
    OfLine,
}

impl Errors {
    fn at(self, line: f64, measured: f64) -> Residual {
        match self {
            Self::Relative => Residual {
                value: (line / measured).ln(),
                slope: 1.0 / line,
            },
            // Without the factor N, which the caller supplies as the weight.
            #[cfg(test)]
            Self::OfSpeedup => Residual {
                value: 1.0 / line - 1.0 / measured,
                slope: -1.0 / (line * line),
            },
            #[cfg(test)]
            Self::OfLine => Residual {
                value: line - measured,
                slope: 1.0,
            },
        }
    }
}

/// A law with the numbers of workers of a curve, ready to be fitted to many sets of speedups.
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    law: Law,
    errors: Errors,
    rows: Vec<Row>,
    workers: Vec<f64>,
}

/// Sums of products of the weighted columns: the quadratic form that a step minimises.
#[derive(Debug, Clone, Copy, Default)]
struct Normal {
    serial_serial: f64,
    serial_crosstalk: f64,
    crosstalk_crosstalk: f64,
    serial_target: f64,
    crosstalk_target: f64,
}

impl Normal {
    fn add(&mut self, row: Row, weight: f64, target: f64) {
        self.serial_serial += weight * row.serial * row.serial;
        self.serial_crosstalk += weight * row.serial * row.crosstalk;
        self.crosstalk_crosstalk += weight * row.crosstalk * row.crosstalk;
        self.serial_target += weight * row.serial * target;
        self.crosstalk_target += weight * row.crosstalk * target;
    }

    /// The sum of squares up to a constant.
    fn height(&self, at: Parameters) -> f64 {
        let (serial, crosstalk) = (at.serial_fraction, at.crosstalk);
        0.5 * self.serial_serial * serial * serial
            + self.serial_crosstalk * serial * crosstalk
            + 0.5 * self.crosstalk_crosstalk * crosstalk * crosstalk
            - self.serial_target * serial
            - self.crosstalk_target * crosstalk
    }

    /// Returns the minimum with 0 <= s <= 1 and k >= 0. A convex form has it where its gradient vanishes or, if that is
    /// out of bounds, on one of the three edges.
    fn lowest(&self) -> Parameters {
        let determinant =
            self.serial_serial * self.crosstalk_crosstalk - self.serial_crosstalk * self.serial_crosstalk;
        // The determinant of linearly dependent columns is only a rounding error.
        if determinant > 1e-12 * self.serial_serial * self.crosstalk_crosstalk {
            let serial_fraction = (self.serial_target * self.crosstalk_crosstalk
                - self.crosstalk_target * self.serial_crosstalk)
                / determinant;
            let crosstalk = (self.crosstalk_target * self.serial_serial
                - self.serial_target * self.serial_crosstalk)
                / determinant;
            if (0.0..=1.0).contains(&serial_fraction) && crosstalk >= 0.0 {
                return Parameters {
                    serial_fraction,
                    crosstalk,
                };
            }
        }
        let on_edge = |serial_fraction: f64| Parameters {
            serial_fraction,
            crosstalk: at_least_0(
                self.crosstalk_target - self.serial_crosstalk * serial_fraction,
                self.crosstalk_crosstalk,
            ),
        };
        let without_crosstalk = Parameters {
            serial_fraction: at_least_0(self.serial_target, self.serial_serial).min(1.0),
            crosstalk: 0.0,
        };
        [on_edge(0.0), on_edge(1.0)]
            .into_iter()
            .fold(without_crosstalk, |lowest, edge| {
                if self.height(edge) < self.height(lowest) {
                    edge
                } else {
                    lowest
                }
            })
    }
}

fn at_least_0(numerator: f64, denominator: f64) -> f64 {
    if denominator > 0.0 {
        (numerator / denominator).max(0.0)
    } else {
        0.0
    }
}

impl Design {
    /// Creates the design for the numbers of workers of a curve, which must be above 1 because every law gives one
    /// worker a speedup of 1.
    #[must_use]
    pub fn new(law: Law, workers: &[u32]) -> Self {
        let workers: Vec<f64> = workers.iter().copied().map(f64::from).collect();
        Self {
            law,
            errors: Errors::Relative,
            rows: workers.iter().map(|&workers| Row::of(law, workers)).collect(),
            workers,
        }
    }

    /// Returns the parameters with the least sum of squares, for positive speedups in the order of the workers.
    #[must_use]
    pub fn fit(&self, speedups: &[f64]) -> Parameters {
        // Starts from the measured values: a linear fit with suitable weights.
        let mut found = self.step(speedups, None);
        let mut squares = self.squares(speedups, found);
        for _ in 0..MAX_STEPS {
            let next = self.step(speedups, Some(found));
            let Some((next, next_squares)) = self.downhill(speedups, found, next, squares) else {
                break;
            };
            let gain = squares - next_squares;
            (found, squares) = (next, next_squares);
            if gain <= MIN_GAIN * squares {
                break;
            }
        }
        found
    }

    /// Root mean square of log(measured / law).
    #[must_use]
    pub fn relative_error(&self, speedups: &[f64], at: Parameters) -> f64 {
        let squares: f64 = self
            .measured(speedups)
            .map(|(row, measured, _)| Errors::Relative.at(row.line(at), measured).value.powi(2))
            .sum();
        (squares / self.rows.len().max(1) as f64).sqrt()
    }

    /// Returns each row with the measured value of the inverted law and its weight.
    fn measured<'a>(&'a self, speedups: &'a [f64]) -> impl Iterator<Item = (Row, f64, f64)> + 'a {
        let rows = self.rows.iter().zip(&self.workers).zip(speedups);
        rows.map(move |((&row, &workers), &speedup)| {
            let measured = match self.law {
                Law::Amdahl | Law::Usl => workers / speedup,
                Law::Gustafson => speedup,
            };
            let weight = match self.errors {
                Errors::Relative => 1.0,
                #[cfg(test)]
                Errors::OfSpeedup => workers * workers,
                #[cfg(test)]
                Errors::OfLine => 1.0,
            };
            (row, measured, weight)
        })
    }

    fn squares(&self, speedups: &[f64], at: Parameters) -> f64 {
        self.measured(speedups)
            .map(|(row, measured, weight)| weight * self.errors.at(row.line(at), measured).value.powi(2))
            .sum()
    }

    /// Makes a Gauss-Newton step from the line of `from`, or from the measured values.
    fn step(&self, speedups: &[f64], from: Option<Parameters>) -> Parameters {
        let mut normal = Normal::default();
        for (row, measured, weight) in self.measured(speedups) {
            let line = from.map_or(measured, |from| row.line(from));
            let Residual { value, slope } = self.errors.at(line, measured);
            normal.add(row, weight * slope * slope, line - value / slope - row.constant);
        }
        normal.lowest()
    }

    /// Returns the end of a step if it reduces the sum of squares, or else of the first halved step that does; `None`
    /// if none does.
    fn downhill(
        &self,
        speedups: &[f64],
        from: Parameters,
        to: Parameters,
        squares: f64,
    ) -> Option<(Parameters, f64)> {
        let mut share = 1.0;
        for _ in 0..8 {
            let between = Parameters {
                serial_fraction: from.serial_fraction + share * (to.serial_fraction - from.serial_fraction),
                crosstalk: from.crosstalk + share * (to.crosstalk - from.crosstalk),
            };
            let between_squares = self.squares(speedups, between);
            if between_squares < squares {
                return Some((between, between_squares));
            }
            share /= 2.0;
        }
        None
    }
}

#[cfg(test)]
#[path = "fit_tests.rs"]
mod tests;
