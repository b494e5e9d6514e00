//! Compares every kind of chart with a golden picture, pixel by pixel with some tolerance. The charts are of the run in
//! `two-cores/`, which is of a noisy machine and shortened to three workloads, and of synthetic data for 128 cores.
//!
//! After an intended visible change, `FTBENCH_DRAW_GOLDEN=1 cargo test -p ftbench --test static charts` regenerates the
//! pictures. Look at each before committing it.

mod nights;
mod synthetic;

use std::collections::{HashMap, HashSet};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use ftbench::record::store::{self, Run};
use ftbench_analyse::summary::summarise;
use ftbench_present::chart::{
    Body, Chart, Kind, Material, Part, ReferenceKind, Size, Theme, join, make, png as png_of, svg,
};
use ftbench_present::history::charts;
use ftbench_schema::Summary;
use rayon::prelude::*;
use resvg::tiny_skia::{ColorU8, Pixmap};

use crate::paths;

/// A channel may be off by this much: rounding differs between processors.
const TOLERANCE: u8 = 32;
/// One pixel in this many may be off by more.
const ONE_OF: usize = 2000;
/// The maximum number of pixels that are off in any square with sides of twice [`STEP`]. A 3 in place of an 8 has more,
/// even in the smallest font.
const MAX_IN_SQUARE: usize = 4;
/// The distance from one square to the next, in pixels. Squares overlap by half, so that every digit is within one of
/// them.
const STEP: usize = 8;

fn folder() -> PathBuf {
    paths::package().join("tests/static/charts")
}

fn two_cores() -> Run {
    let mut run = store::read(&paths::two_cores()).unwrap();
    "two-cores".clone_into(&mut run.name);
    run
}

fn two_cores_material() -> Material {
    let run = two_cores();
    Material::of_run(summarise(&run.name, &run.manifest, &run.trials), run.trials)
}

fn many_cores_material() -> Material {
    let run = two_cores();
    let summary = synthetic::summary(&summarise(&run.name, &run.manifest, &run.trials));
    let trials = synthetic::trials(&run.trials[0], &summary);
    Material::of_run(summary, trials)
}

/// Two machines' threads in one chart.
fn joined() -> Material {
    let part = |summary: Summary, interpreter: &str| Part {
        summary,
        trials: Vec::new(),
        interpreter: Some(interpreter.to_owned()),
    };
    let many = many_cores_material().summary;
    let fewer = synthetic::fewer_cores(&many);
    join(vec![part(fewer, "3.13t"), part(many, "3.14t")], &[]).unwrap()
}

/// The text in pictures that do not show a real run.
const SYNTHETIC: &str = "synthetic data";

/// The golden pictures that the documentation uses, with their files below `docs/images`.
const IN_DOCUMENTATION: [(&str, &str); 13] = [
    ("128-scaling-light", "charts/scaling"),
    ("128-throughput-light", "charts/throughput"),
    ("128-efficiency-light", "charts/efficiency"),
    ("128-interpreters-light", "charts/interpreters"),
    ("128-memory-light", "charts/memory"),
    ("128-spread-light", "charts/spread"),
    ("2-gil-light", "charts/gil"),
    ("2-overhead-light", "charts/overhead"),
    ("128-heat-map-light", "charts/heat-map"),
    ("128-efficiency-map-light", "charts/efficiency-map"),
    ("128-time-line-light", "charts/time-line"),
    ("joined-interpreters-light", "charts/joined"),
    ("history-light", "history"),
];

fn file_in_documentation(picture: &str) -> Option<PathBuf> {
    let (_, file) = IN_DOCUMENTATION.iter().find(|(name, _)| *name == picture)?;
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/images");
    Some(images.join(file).with_extension("png"))
}

/// All golden pictures by name.
fn pictures() -> Vec<(String, Chart)> {
    let mut made = Vec::new();
    for (machine, workload, material) in [
        ("2", "fib", two_cores_material()),
        ("128", "nbody", many_cores_material()),
    ] {
        for kind in Kind::ALL {
            for (theme_name, theme) in [("light", Theme::LIGHT), ("dark", Theme::DARK)] {
                let mut chart = make(kind, &material, workload);
                chart.theme = theme;
                made.push((format!("{machine}-{}-{theme_name}", kind.name()), chart));
            }
        }
    }
    let history = nights::history(&two_cores_material().summary);
    for (theme_name, theme) in [("light", Theme::LIGHT), ("dark", Theme::DARK)] {
        let mut chart = charts::workload(&history, "fib");
        chart.theme = theme;
        chart.subtitle.insert(0, SYNTHETIC.to_owned());
        made.push((format!("history-{theme_name}"), chart));
    }
    made.push((
        "joined-interpreters-light".to_owned(),
        make(Kind::Interpreters, &joined(), "nbody"),
    ));
    made
}

/// The number of a picture's most frequent colours that are kept exactly: those of areas, lines and text. The other
/// colours are edges between them.
const KEPT_COLOURS: usize = 128;

/// Writes a picture with at most 256 colours, each within the tolerance, and with the best compression.
fn write(path: &Path, picture: &Pixmap) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = BufWriter::new(std::fs::File::create(path).unwrap());
    let mut encoder = png::Encoder::new(file, picture.width(), picture.height());
    let mut seen: HashMap<[u8; 3], usize> = HashMap::new();
    for pixel in picture.pixels() {
        *seen
            .entry([pixel.red(), pixel.green(), pixel.blue()])
            .or_default() += 1;
    }
    let mut frequent: Vec<([u8; 3], usize)> = seen.into_iter().collect();
    frequent.sort_by_key(|&(colour, count)| (std::cmp::Reverse(count), colour));
    let kept: HashSet<[u8; 3]> = frequent
        .iter()
        .take(KEPT_COLOURS)
        .map(|(colour, _)| *colour)
        .collect();
    let coarse = |step: u16| {
        let mut palette: Vec<[u8; 3]> = Vec::new();
        let mut numbers: HashMap<[u8; 3], usize> = HashMap::new();
        let mut number = |colour: [u8; 3]| {
            let rounded = |channel: u8| ((u16::from(channel) + step / 2) / step * step).min(255) as u8;
            let colour = if kept.contains(&colour) {
                colour
            } else {
                colour.map(rounded)
            };
            *numbers.entry(colour).or_insert_with(|| {
                palette.push(colour);
                palette.len() - 1
            })
        };
        let pixels = picture.pixels().iter();
        let pixels: Vec<usize> = pixels
            .map(|pixel| number([pixel.red(), pixel.green(), pixel.blue()]))
            .collect();
        (palette, pixels)
    };
    // The last step leaves five values per channel, which are 125 colours.
    let mut steps = [1, 5, 15, 17, 24, 32, 40, 51, 63].into_iter().map(coarse);
    let (palette, pixels) = steps.find(|(palette, _)| palette.len() <= 256).unwrap();
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_palette(palette.concat());
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let bytes: Vec<u8> = pixels.into_iter().map(|number| number as u8).collect();
    encoder.write_header().unwrap().write_image_data(&bytes).unwrap();
}

fn draw(chart: &Chart) -> Pixmap {
    Pixmap::decode_png(&png_of(&svg(chart).unwrap(), 1.0).unwrap()).unwrap()
}

/// The difference between two pictures of the same size.
struct Difference {
    /// The number of pixels that are off.
    pixels: usize,
    /// The maximum number of them in one square.
    in_square: usize,
    /// A picture of them, black on white.
    picture: Pixmap,
}

impl Difference {
    /// Whether it is more than rounding can cause.
    fn is_seen(&self) -> bool {
        self.in_square > MAX_IN_SQUARE || self.pixels > self.picture.pixels().len() / ONE_OF
    }
}

/// Compares two pictures; returns `None` when their sizes differ.
fn difference(one: &Pixmap, other: &Pixmap) -> Option<Difference> {
    let same_size = one.width() == other.width() && one.height() == other.height();
    let mut picture = Pixmap::new(one.width(), one.height()).filter(|_| same_size)?;
    let pairs = one.pixels().iter().zip(other.pixels());
    let off: Vec<bool> = pairs
        .map(|(a, b)| {
            [(a.red(), b.red()), (a.green(), b.green()), (a.blue(), b.blue())]
                .into_iter()
                .any(|(a, b)| a.abs_diff(b) > TOLERANCE)
        })
        .collect();
    for (pixel, off) in picture.pixels_mut().iter_mut().zip(&off) {
        let grey = if *off { 0 } else { 255 };
        *pixel = ColorU8::from_rgba(grey, grey, grey, 255).premultiply();
    }
    Some(Difference {
        pixels: off.iter().filter(|off| **off).count(),
        in_square: max_in_square(&off, one.width() as usize),
        picture,
    })
}

/// The maximum number of pixels that are off in any square, from rows of `width` pixels.
fn max_in_square(off: &[bool], width: usize) -> usize {
    let (across, down) = (width.div_ceil(STEP), (off.len() / width).div_ceil(STEP));
    // Counts by quarter of a square, with an empty column and an empty row at the end.
    let mut quarters = vec![vec![0; across + 1]; down + 1];
    for (at, _) in off.iter().enumerate().filter(|(_, off)| **off) {
        quarters[at / width / STEP][at % width / STEP] += 1;
    }
    let rows = quarters.windows(2);
    let squares = rows.flat_map(|rows| {
        let pairs = rows[0].windows(2).zip(rows[1].windows(2));
        pairs.map(|(above, below)| above[0] + above[1] + below[0] + below[1])
    });
    squares.max().unwrap_or(0)
}

#[test]
fn every_chart_matches_its_golden_picture() {
    let golden = folder().join("golden");
    let redraw = std::env::var_os("FTBENCH_DRAW_GOLDEN").is_some();
    let failures: Vec<String> = pictures()
        .into_par_iter()
        .filter_map(|(name, chart)| {
            let drawn = draw(&chart);
            let path = golden.join(format!("{name}.png"));
            if redraw {
                write(&path, &drawn);
                if let Some(copy) = file_in_documentation(&name) {
                    std::fs::copy(&path, copy).unwrap();
                }
                return None;
            }
            let known = std::fs::read(&path)
                .ok()
                .and_then(|bytes| Pixmap::decode_png(&bytes).ok());
            let differs = known.and_then(|known| difference(&drawn, &known));
            if differs.as_ref().is_some_and(|differs| !differs.is_seen()) {
                return None;
            }
            let seen = Path::new(env!("CARGO_TARGET_TMPDIR")).join("charts");
            write(&seen.join(format!("{name}.png")), &drawn);
            let what = differs.map_or(
                "the size differs, or there is no golden picture".to_owned(),
                |differs| {
                    let path = seen.join(format!("{name}-difference.png"));
                    write(&path, &differs.picture);
                    format!(
                        "{} pixels differ, up to {} close together, shown in {}",
                        differs.pixels,
                        differs.in_square,
                        path.display()
                    )
                },
            );
            Some(format!(
                "{name}: {what}; the new picture is {}/{name}.png",
                seen.display()
            ))
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{}\nIf these changes are intended, look at the pictures and regenerate them: FTBENCH_DRAW_GOLDEN=1 cargo test \
         -p ftbench --test static charts",
        failures.join("\n")
    );
}

#[test]
fn the_documentation_shows_the_golden_pictures() {
    for (name, _) in IN_DOCUMENTATION {
        let golden = std::fs::read(folder().join("golden").join(name).with_extension("png")).unwrap();
        let shown = std::fs::read(file_in_documentation(name).unwrap()).unwrap();
        assert!(
            golden == shown,
            "{name} was regenerated, and its copy in docs/images was not"
        );
    }
}

#[test]
fn pictures_of_synthetic_data_say_so_and_name_no_processor_and_no_build() {
    let real = two_cores().manifest;
    for (name, chart) in pictures() {
        let words = [chart.subtitle, chart.caption].concat().join("\n");
        let is_real = name.starts_with("2-");
        assert_eq!(words.contains(SYNTHETIC), !is_real, "{name}: {words}");
        let names_what_is_real = words.contains(&real.machine.cpu_model) || words.contains("CPython");
        assert_eq!(names_what_is_real, is_real, "{name}: {words}");
    }
}

#[test]
fn the_golden_pictures_stay_small() {
    let files = std::fs::read_dir(folder().join("golden")).unwrap();
    let sizes: Vec<u64> = files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .collect();
    assert_eq!(
        sizes.len(),
        pictures().len(),
        "there is a picture that no test draws"
    );
    assert!(sizes.iter().sum::<u64>() < 2_000_000, "{sizes:?}");
}

#[test]
fn a_single_changed_digit_is_detected() {
    let (_, chart) = pictures().swap_remove(0);
    let drawn = draw(&chart);
    let same = difference(&drawn, &draw(&chart)).unwrap();
    assert_eq!((same.pixels, same.is_seen()), (0, false));
    // One digit that looks similar to the other, in the smallest font and in that of values.
    let mut caption = chart.clone();
    let method = caption.caption.last_mut().unwrap();
    assert!(method.contains("seed 3"), "{method}");
    *method = method.replace("seed 3", "seed 8");
    let mut value = chart.clone();
    let Body::Lines(lines) = &mut value.body else {
        panic!("no curves")
    };
    let label = &mut lines.series[0].value_label;
    let at = label.rfind(|letter: char| letter.is_ascii_digit()).unwrap();
    let digit: u32 = label[at..=at].parse().unwrap();
    label.replace_range(at..=at, &((digit + 1) % 10).to_string());
    for other in [caption, value] {
        let differs = difference(&drawn, &draw(&other)).unwrap();
        assert!(
            differs.is_seen(),
            "{} pixels, {} close together",
            differs.pixels,
            differs.in_square
        );
    }
    let mut other = chart.clone();
    other.size = Size {
        width: 961,
        height: 600,
    };
    assert!(difference(&drawn, &draw(&other)).is_none());
}

#[test]
fn a_law_is_drawn_only_as_far_as_it_was_fitted() {
    let mut material = many_cores_material();
    for laws in &mut material.summary.laws {
        laws.fitted_up_to = Some(32);
    }
    let chart = make(Kind::Scaling, &material, "nbody");
    assert!(
        chart.caption.join(" ").contains("USL up to 32, serial"),
        "{:?}",
        chart.caption
    );
    let Body::Lines(lines) = &chart.body else {
        panic!("no curves")
    };
    let fitted = lines
        .references
        .iter()
        .filter(|line| matches!(line.kind, ReferenceKind::Fitted(_)));
    let ends: Vec<f64> = fitted
        .map(|line| line.corners.last().unwrap()[0].round())
        .collect();
    assert!(ends.len() > 1 && ends.iter().all(|end| *end == 32.0), "{ends:?}");
}

#[test]
fn joined_runs_are_named_by_their_differences() {
    let names = |material: &Material| {
        let facts = material.summary.interpreters.iter();
        facts.map(|facts| facts.tag.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&joined()), ["3.13t fewer-cores", "3.14t many-cores"]);
    let run = |interpreter: Option<&str>, day: &str| {
        let mut summary = two_cores_material().summary;
        summary.run.started_at = format!("{day}T08:00:00Z");
        Part {
            summary,
            trials: Vec::new(),
            interpreter: interpreter.map(str::to_owned),
        }
    };
    let builds = join(
        vec![run(Some("3.13"), "2026-11-20"), run(Some("3.13t"), "2026-11-20")],
        &[],
    )
    .unwrap();
    assert_eq!(names(&builds), ["3.13", "3.13t"]);
    let days = join(
        vec![run(Some("3.13"), "2026-11-20"), run(Some("3.13"), "2026-11-21")],
        &[],
    )
    .unwrap();
    assert_eq!(names(&days), ["3.13 2026-11-20", "3.13 2026-11-21"]);
    let unknown = join(vec![run(Some("3.13x"), "2026-11-20")], &[])
        .unwrap_err()
        .to_string();
    assert!(unknown.contains("did you mean '3.13'"), "{unknown}");
    assert!(matches!(make(Kind::Scaling, &days, "fib").body, Body::Lines(_)));
}
