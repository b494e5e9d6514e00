//! Where the level of a series may have changed.
//!
//! R-FPOP: Fearnhead and Rigaill, "Changepoint Detection in the Presence of Outliers", Journal of the American
//! Statistical Association 114 (2019), with the biweight loss. It finds the segmentation that is best of all, in about
//! linear time, and a value costs a segment no more than three standard deviations do, so that a single night that went
//! wrong cannot pull a level or make a segment of its own.

/// Beyond so many standard deviations from its level a value costs no more (Fearnhead and Rigaill, section 4: K = 3σ).
pub const BIWEIGHT: f64 = 3.0;

/// A stretch of levels on which the least cost so far is one polynomial.
#[derive(Debug, Clone, Copy)]
struct Piece {
    low: f64,
    high: f64,
    /// Cost of a level m: `square * m^2 + slope * m + constant`.
    square: f64,
    slope: f64,
    constant: f64,
    /// Where the segment that this cost ends with begins.
    start: usize,
}

impl Piece {
    fn at(&self, level: f64) -> f64 {
        (self.square * level + self.slope) * level + self.constant
    }

    /// Its least cost.
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

    /// The levels at which it costs less than so much; `None` where there are none.
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

/// What a value costs a level, in units of the noise's variance.
#[must_use]
pub fn cost(value: f64, level: f64) -> f64 {
    (value - level).powi(2).min(BIWEIGHT * BIWEIGHT)
}

/// The positions at which segments after the first begin, for values with noise of standard deviation 1 that are all
/// finite. The penalty is Schwarz's criterion, 2 log n (Yao, "Estimating the number of change-points via Schwarz'
/// criterion", Statistics & Probability Letters 6 (1988)).
#[must_use]
pub fn change_points(values: &[f64]) -> Vec<usize> {
    let count = values.len();
    let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // `partial_cmp` would be needed for NaN; all values are finite.
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
    // For each number of values, where the last segment of the best segmentation of so many begins.
    let mut starts = Vec::with_capacity(count);
    for (position, value) in values.iter().enumerate() {
        if position > 0 {
            let best = best(&pieces);
            starts.push(best.start);
            pieces = no_dearer_than(&pieces, best.least() + penalty, position);
        }
        pieces = with_value(&pieces, *value);
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

/// The piece with the least cost; there is always one.
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

/// Where going on costs more than a new segment would, the new segment.
fn no_dearer_than(pieces: &[Piece], most: f64, position: usize) -> Vec<Piece> {
    let mut kept: Vec<Piece> = Vec::with_capacity(pieces.len() + 2);
    let fresh = |low: f64, high: f64| Piece {
        low,
        high,
        square: 0.0,
        slope: 0.0,
        constant: most,
        start: position,
    };
    for piece in pieces {
        match piece.below(most) {
            None => push(&mut kept, fresh(piece.low, piece.high)),
            Some((low, high)) => {
                if piece.low < low {
                    push(&mut kept, fresh(piece.low, low));
                }
                push(&mut kept, piece.between(low, high));
                if high < piece.high {
                    push(&mut kept, fresh(high, piece.high));
                }
            }
        }
    }
    kept
}

/// With the cost of one more value.
fn with_value(pieces: &[Piece], value: f64) -> Vec<Piece> {
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

/// Adds a piece, or makes the last one longer where both are the same.
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

/// Where between two positions a change from one level to another costs least, at least `fewest` values from either.
#[must_use]
pub fn best_split(values: &[f64], levels: [f64; 2], fewest: usize) -> Option<usize> {
    let [before, after] = levels;
    let mut running: f64 = values.iter().map(|value| cost(*value, after)).sum();
    let mut best: Option<(usize, f64)> = None;
    for (position, value) in values.iter().enumerate() {
        let allowed = position >= fewest && values.len() - position >= fewest;
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
