//! Positions where the level of a series may have changed.
//!
//! R-FPOP: Fearnhead and Rigaill, "Changepoint Detection in the Presence of Outliers", Journal of the American
//! Statistical Association 114 (2019), with the biweight loss. It finds the optimal segmentation in about linear time.
//! The cost of a value is limited to that of three standard deviations, so a single bad night can neither shift a level
//! nor form a segment of its own.

/// Number of standard deviations from its level beyond which a value's cost stays constant (Fearnhead and Rigaill,
/// section 4: K = 3σ).
pub const BIWEIGHT: f64 = 3.0;

/// An interval of levels on which the minimum cost so far is one polynomial.
#[derive(Debug, Clone, Copy)]
struct Piece {
    low: f64,
    high: f64,
    /// Cost of a level m: `square * m^2 + slope * m + constant`.
    square: f64,
    slope: f64,
    constant: f64,
    /// Start of the last segment that this cost belongs to.
    start: usize,
}

impl Piece {
    fn at(&self, level: f64) -> f64 {
        (self.square * level + self.slope) * level + self.constant
    }

    /// Minimum cost on the interval.
    fn least(&self) -> f64 {
        let ends = self.at(self.low).min(self.at(self.high));
        if self.square <= 0.0 {
            return ends;
        }
        let vertex = -self.slope / (2.0 * self.square);
        if (self.low..=self.high).contains(&vertex) {
            self.at(vertex)
        } else {
            ends
        }
    }

    /// Returns the levels with less than this cost; `None` if there are none.
    fn below(&self, cost: f64) -> Option<(f64, f64)> {
        if self.square <= 0.0 {
            return (self.at(self.low) <= cost).then_some((self.low, self.high));
        }
        let discriminant = self.slope * self.slope - 4.0 * self.square * (self.constant - cost);
        if discriminant <= 0.0 {
            return None;
        }
        let reach = discriminant.sqrt() / (2.0 * self.square);
        let vertex = -self.slope / (2.0 * self.square);
        let (low, high) = ((vertex - reach).max(self.low), (vertex + reach).min(self.high));
        (low < high).then_some((low, high))
    }

    fn between(self, low: f64, high: f64) -> Self {
        Self { low, high, ..self }
    }
}

/// The cost of a value at a level, in units of the noise variance.
#[must_use]
pub fn cost(value: f64, level: f64) -> f64 {
    (value - level).powi(2).min(BIWEIGHT * BIWEIGHT)
}

/// Returns the start positions of all segments except the first. The values must be finite and have noise of standard
/// deviation 1. The penalty is Schwarz's criterion, 2 log n (Yao, "Estimating the number of change-points via Schwarz'
/// criterion", Statistics & Probability Letters 6 (1988)).
#[must_use]
pub fn change_points(values: &[f64]) -> Vec<usize> {
    let count = values.len();
    let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // All values are finite, so no comparison involves NaN.
    if count < 2 || lowest >= highest {
        return Vec::new();
    }
    let penalty = 2.0 * (count as f64).ln();
    let mut pieces = vec![Piece {
        low: lowest,
        high: highest,
        square: 0.0,
        slope: 0.0,
        constant: 0.0,
        start: 0,
    }];
    // For each prefix of the values, the start of the last segment of its best segmentation.
    let mut starts = Vec::with_capacity(count);
    for (position, value) in values.iter().enumerate() {
        if position > 0 {
            let best = best(&pieces);
            starts.push(best.start);
            pieces = cap_cost(&pieces, best.least() + penalty, position);
        }
        pieces = add_value(&pieces, *value);
    }
    starts.push(best(&pieces).start);
    let mut found = Vec::new();
    let mut end = count;
    while let Some(&start) = end.checked_sub(1).and_then(|last| starts.get(last)) {
        if start == 0 {
            break;
        }
        found.push(start);
        end = start;
    }
    found.reverse();
    found
}

/// Returns the piece with the least cost. There is always one.
fn best(pieces: &[Piece]) -> Piece {
    let first = Piece {
        low: 0.0,
        high: 0.0,
        square: 0.0,
        slope: 0.0,
        constant: f64::INFINITY,
        start: 0,
    };
    pieces
        .iter()
        .copied()
        .reduce(|best, piece| if piece.least() < best.least() { piece } else { best })
        .unwrap_or(first)
}

/// Replaces pieces by a new segment where continuing costs more than `limit`.
fn cap_cost(pieces: &[Piece], limit: f64, position: usize) -> Vec<Piece> {
    let mut kept: Vec<Piece> = Vec::with_capacity(pieces.len() + 2);
    let new_segment = |low: f64, high: f64| Piece {
        low,
        high,
        square: 0.0,
        slope: 0.0,
        constant: limit,
        start: position,
    };
    for piece in pieces {
        match piece.below(limit) {
            None => push(&mut kept, new_segment(piece.low, piece.high)),
            Some((low, high)) => {
                if piece.low < low {
                    push(&mut kept, new_segment(piece.low, low));
                }
                push(&mut kept, piece.between(low, high));
                if high < piece.high {
                    push(&mut kept, new_segment(high, piece.high));
                }
            }
        }
    }
    kept
}

/// Adds the cost of one more value.
fn add_value(pieces: &[Piece], value: f64) -> Vec<Piece> {
    let (left, right) = (value - BIWEIGHT, value + BIWEIGHT);
    let mut split: Vec<Piece> = Vec::with_capacity(pieces.len() + 2);
    for piece in pieces {
        let cuts = [
            piece.low,
            left.clamp(piece.low, piece.high),
            right.clamp(piece.low, piece.high),
            piece.high,
        ];
        for (part, ends) in cuts.windows(2).enumerate() {
            let [low, high] = ends else { continue };
            if low >= high {
                continue;
            }
            let mut priced = piece.between(*low, *high);
            if part == 1 {
                priced.square += 1.0;
                priced.slope -= 2.0 * value;
                priced.constant += value * value;
            } else {
                priced.constant += BIWEIGHT * BIWEIGHT;
            }
            push(&mut split, priced);
        }
    }
    split
}

/// Appends a piece, or extends the last one if both have the same polynomial.
fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    if let Some(last) = pieces.last_mut() {
        let same = last.start == piece.start
            && last.square == piece.square
            && last.slope == piece.slope
            && last.constant == piece.constant;
        if same {
            last.high = piece.high;
            return;
        }
    }
    pieces.push(piece);
}

/// Returns the position at which a change from one level to another costs least, at least `min_distance` values from
/// either end.
#[must_use]
pub fn best_split(values: &[f64], levels: [f64; 2], min_distance: usize) -> Option<usize> {
    let [before, after] = levels;
    let mut running: f64 = values.iter().map(|value| cost(*value, after)).sum();
    let mut best: Option<(usize, f64)> = None;
    for (position, value) in values.iter().enumerate() {
        let allowed = position >= min_distance && values.len() - position >= min_distance;
        if allowed && best.is_none_or(|(_, least)| running < least) {
            best = Some((position, running));
        }
        running += cost(*value, before) - cost(*value, after);
    }
    best.map(|(position, _)| position)
}

#[cfg(test)]
#[path = "segments_tests.rs"]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
