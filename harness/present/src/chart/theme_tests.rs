use super::*;

/// How people with no cones of one kind see linear red, green and blue: G. M. Machado, M. M. Oliveira, L. A. F.
/// Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE TVCG 15(6), 2009,
/// severity 1.0; the first is ordinary sight.
const SIGHTS: [(&str, [[f64; 3]; 3]); 4] = [
    ("ordinary", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protanopia",
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
    ),
    (
        "deuteranopia",
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
    ),
    (
        "tritanopia",
        [
            [1.255_528, -0.076_749, -0.178_779],
            [-0.078_411, 0.930_809, 0.147_602],
            [0.004_733, 0.691_367, 0.303_900],
        ],
    ),
];

/// Two colours of a chart lie at least this far apart in CIELAB, whoever looks; a difference of 2.3 is just noticeable
/// side by side (M. Mahy et al., 1994), and lines do not lie side by side.
const APART: f64 = 19.0;

fn times(rows: [[f64; 3]; 3], column: [f64; 3]) -> [f64; 3] {
    rows.map(|row| row.iter().zip(column).map(|(a, b)| a * b).sum())
}

/// CIELAB (CIE 15) under D65, as somebody sees the colour.
fn lab(colour: Colour, sight: [[f64; 3]; 3]) -> [f64; 3] {
    const TO_XYZ: [[f64; 3]; 3] = [
        [0.412_456_4, 0.357_576_1, 0.180_437_5],
        [0.212_672_9, 0.715_152_2, 0.072_175_0],
        [0.019_333_9, 0.119_192_0, 0.950_304_1],
    ];
    let seen = times(sight, colour.linear()).map(|light| light.clamp(0.0, 1.0));
    let [x, y, z] = times(TO_XYZ, seen);
    let root = |value: f64| {
        if value > 0.008_856 {
            value.cbrt()
        } else {
            7.787 * value + 16.0 / 116.0
        }
    };
    let (x, y, z) = (root(x / 0.950_47), root(y), root(z / 1.088_83));
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

fn distance(a: Colour, b: Colour, sight: [[f64; 3]; 3]) -> f64 {
    let squares = lab(a, sight).into_iter().zip(lab(b, sight));
    squares.map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

fn families() -> Vec<Model> {
    let mut families: Vec<Model> = Model::ALL.map(Model::family).to_vec();
    families.dedup();
    families
}

#[test]
fn white_and_black_are_as_far_apart_as_can_be() {
    let (black, white) = (Colour(0, 0, 0), Colour(255, 255, 255));
    for (_, sight) in SIGHTS {
        assert!((distance(black, white, sight) - 100.0).abs() < 0.1);
    }
    assert!((black.contrast(white) - 21.0).abs() < 1e-9);
}

#[test]
fn everybody_can_distinguish_the_models() {
    assert_eq!(families().len(), 7);
    for theme in [Theme::LIGHT, Theme::DARK] {
        for (sight_name, sight) in SIGHTS {
            for (position, one) in families().into_iter().enumerate() {
                for other in families().into_iter().skip(position + 1) {
                    let apart = distance(theme.of(one), theme.of(other), sight);
                    assert!(
                        apart >= APART,
                        "{sight_name}: {one} and {other} lie {apart:.1} apart"
                    );
                }
            }
            let apart = distance(theme.disturbed, theme.muted, sight);
            assert!(
                apart >= APART,
                "{sight_name}: disturbed and not lie {apart:.1} apart"
            );
        }
    }
}

#[test]
fn lines_and_words_stand_out_from_the_background() {
    for theme in [Theme::LIGHT, Theme::DARK] {
        // WCAG 2.2, 1.4.11 for lines and 1.4.3 for text.
        for family in families() {
            assert!(theme.of(family).contrast(theme.background) >= 3.0, "{family}");
        }
        assert!(theme.disturbed.contrast(theme.background) >= 4.5);
        assert!(theme.text.contrast(theme.background) >= 7.0);
        assert!(theme.muted.contrast(theme.background) >= 4.5);
    }
}

#[test]
fn heat_grows_evenly_for_everybody_and_can_be_written_on() {
    let steps: Vec<Colour> = (0..=40).map(|step| heat(f64::from(step) / 40.0)).collect();
    for colour in &steps {
        assert!(colour.contrast(ink_on(*colour)) >= 4.5, "{colour:?}");
    }
    for (sight_name, sight) in SIGHTS {
        for pair in steps.windows(2) {
            let [a, b] = pair else { continue };
            let lighter = lab(*b, sight)[0] - lab(*a, sight)[0];
            let even = if sight_name == "ordinary" {
                0.4..4.5
            } else {
                0.05..4.5
            };
            assert!(even.contains(&lighter), "{sight_name}: {a:?} to {b:?}: {lighter}");
        }
    }
    assert_eq!((heat(-1.0), heat(2.0)), (VIRIDIS[0], VIRIDIS[9]));
}
