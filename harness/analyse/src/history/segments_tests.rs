use proptest::prelude::*;

use super::*;
use crate::history::noise;
use crate::history::published::{HUNTER, NILE};

fn scaled(values: &[f64]) -> Vec<f64> {
    let noise = noise::of_series(values, 0.0);
    values.iter().map(|value| value / noise).collect()
}

#[test]
fn nile_changes_after_its_28th_year() {
    assert_eq!(change_points(&scaled(&NILE)), [28]);
}

#[test]
fn published_series_of_hunter_change_at_the_published_positions() {
    for (values, index) in HUNTER {
        let logarithms: Vec<f64> = values.iter().map(|value| value.ln()).collect();
        assert!(change_points(&scaled(&logarithms)).contains(&index));
    }
}

#[test]
fn single_outlier_is_not_a_segment() {
    let mut values: Vec<f64> = (0..30).map(|night| f64::from(night % 3)).collect();
    values[12] = 500.0;
    assert!(change_points(&values).is_empty());
}

#[test]
fn short_and_constant_series_have_no_change_points() {
    assert!(change_points(&[]).is_empty());
    assert!(change_points(&[1.0]).is_empty());
    assert!(change_points(&[1.0; 50]).is_empty());
}

/// The minimum cost of a segment, found by trying all levels at which it can occur.
fn segment_cost(part: &[f64]) -> f64 {
    let mut kinks: Vec<f64> = part
        .iter()
        .flat_map(|value| [value - BIWEIGHT, value + BIWEIGHT])
        .collect();
    kinks.sort_by(f64::total_cmp);
    let mut levels = part.to_vec();
    // Between two kinks the set of near values is constant, and their mean is the vertex.
    for pair in kinks.windows(2) {
        let middle = pair[0].midpoint(pair[1]);
        let near: Vec<f64> = part
            .iter()
            .copied()
            .filter(|value| (value - middle).abs() <= BIWEIGHT)
            .collect();
        if !near.is_empty() {
            levels.push(near.iter().sum::<f64>() / near.len() as f64);
        }
    }
    levels
        .iter()
        .map(|level| part.iter().map(|value| cost(*value, *level)).sum::<f64>())
        .fold(f64::INFINITY, f64::min)
}

/// The minimum cost of all segmentations by dynamic programming over positions: optimal partitioning (Jackson and
/// others 2005), slow and simple.
fn least_cost(values: &[f64]) -> f64 {
    let penalty = 2.0 * (values.len() as f64).ln();
    let mut least = vec![-penalty];
    for end in 1..=values.len() {
        let best = (0..end)
            .map(|start| least[start] + penalty + segment_cost(&values[start..end]))
            .fold(f64::INFINITY, f64::min);
        least.push(best);
    }
    least[values.len()]
}

/// The sum of the minimum costs of the parts, which equals the cost of the segmentation if the cuts are optimal.
fn cost_of(values: &[f64], cuts: &[usize]) -> f64 {
    let penalties = 2.0 * (values.len() as f64).ln() * cuts.len() as f64;
    let mut bounds = vec![0];
    bounds.extend(cuts);
    bounds.push(values.len());
    let parts = bounds
        .windows(2)
        .map(|pair| segment_cost(&values[pair[0]..pair[1]]));
    penalties + parts.sum::<f64>()
}

proptest! {
    #[test]
    fn no_segmentation_costs_less(values in prop::collection::vec(-12.0_f64..12.0, 2..24)) {
        let found = change_points(&values);
        let (own, least) = (cost_of(&values, &found), least_cost(&values));
        prop_assert!(own <= least + 1e-6, "{own} at {found:?}, {least} is possible");
    }

    #[test]
    fn cuts_are_ordered_and_inside(values in prop::collection::vec(-1e6_f64..1e6, 0..80)) {
        let found = change_points(&values);
        prop_assert!(found.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(found.iter().all(|cut| (1..values.len()).contains(cut)));
    }
}
