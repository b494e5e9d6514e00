//! Every kind of chart against a golden drawing: of the run in `two-cores/`, which is of a noisy machine and was cut down to
//! three workloads, and of a synthetic one on 128 cores.
//!
//! The text of every SVG in the light theme is compared, which shows what changed. The pictures that the documentation
//! shows, and two in the dark theme, are also compared pixel by pixel with some tolerance, which shows that they are drawn.
//!
//! After a change that is meant to be seen, `FTBENCH_DRAW_GOLDEN=1 cargo test -p ftbench --test static charts` draws them
//! again; look at each before it is committed.

mod nights;
mod synthetic;

use std::collections::{HashMap, HashSet};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use ftbench::record::store::{self, Run};
use ftbench_analyse::summary::summarise;
use ftbench_present::chart::{
    Body, Chart, Kind, Material, Part, Size, Theme, join, make, png as png_of, svg,
};
use ftbench_present::history::charts as history_charts;
use ftbench_schema::Summary;
use rayon::prelude::*;
use resvg::tiny_skia::{ColorU8, Pixmap};

use crate::paths;

/// A channel may be off by this much: rounding differs between processors.
const TOLERANCE: u8 = 32;
/// One pixel of so many may be off by more,
const ONE_OF: usize = 2000;
/// and so many in any square with sides of twice [`STEP`]: a 3 in place of an 8 has more in the smallest letters.
const MOST_IN_SQUARE: usize = 4;
/// From one square to the next, pixels; they overlap by half, so that a digit lies within one of them.
const STEP: usize = 8;

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
        name: None,
    };
    let many = many_cores_material().summary;
    let fewer = synthetic::fewer_cores(&many);
    join(vec![part(fewer, "3.13t"), part(many, "3.14t")], &[]).unwrap()
}

/// The words in every picture that is not of a real run.
const SYNTHETIC: &str = "synthetic data";

/// The pictures of synthetic data that the documentation shows, and their files below `docs/images`. Others are of the
/// published run.
const IN_DOCUMENTATION: [(&str, &str); 11] = [
    ("128-scaling", "charts/scaling"),
    ("128-throughput", "charts/throughput"),
    ("128-efficiency", "charts/efficiency"),
    ("128-interpreters", "charts/interpreters"),
    ("128-memory", "charts/memory"),
    ("128-spread", "charts/spread"),
    ("128-heat-map", "charts/heat-map"),
    ("128-efficiency-map", "charts/efficiency-map"),
    ("128-time-line", "charts/time-line"),
    ("joined-interpreters", "charts/joined"),
    ("history", "history"),
];

/// Pictures that are compared in the dark theme too.
const IN_DARK: [&str; 2] = ["128-scaling", "2-heat-map"];

fn golden() -> PathBuf {
    paths::package().join("tests/static/charts/golden")
}

/// All charts by name, in the light theme.
fn charts() -> Vec<(String, Chart)> {
    let mut made = Vec::new();
    for (machine, workload, material) in [
        ("2", "fib", two_cores_material()),
        ("128", "nbody", many_cores_material()),
    ] {
        made.extend(Kind::ALL.map(|kind| {
            (
                format!("{machine}-{}", kind.name()),
                make(kind, &material, workload),
            )
        }));
    }
    let mut history = history_charts::workload(&nights::history(&two_cores_material().summary), "fib");
    history.subtitle.insert(0, SYNTHETIC.to_owned());
    made.push(("history".to_owned(), history));
    made.push((
        "joined-interpreters".to_owned(),
        make(Kind::Interpreters, &joined(), "nbody"),
    ));
    made
}

/// The charts whose pixels are compared, and the files of their pictures.
fn pictures() -> Vec<(PathBuf, Chart)> {
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/images");
    let charts = charts();
    let chart = |name: &str| charts.iter().find(|(known, _)| known == name).unwrap().1.clone();
    let light = IN_DOCUMENTATION.map(|(name, file)| (images.join(file).with_extension("png"), chart(name)));
    let dark = IN_DARK.map(|name| {
        let dark = Chart {
            theme: Theme::DARK,
            ..chart(name)
        };
        (golden().join(format!("{name}-dark.png")), dark)
    });
    light.into_iter().chain(dark).collect()
}

fn is_to_be_drawn() -> bool {
    std::env::var_os("FTBENCH_DRAW_GOLDEN").is_some()
}

/// Whether two lines of SVG are the same but for the last digit of a number, which rounding moves on some processors.
fn is_alike(one: &str, other: &str) -> bool {
    let parts = |line: &str| -> Vec<(String, Option<i64>)> {
        let is_digit = |letter: &char| letter.is_ascii_digit();
        let letters: Vec<char> = line.chars().collect();
        letters
            .chunk_by(|a, b| is_digit(a) == is_digit(b))
            .map(|run| run.iter().collect::<String>())
            .map(|run| {
                run.parse()
                    .map_or((run, None), |number| (String::new(), Some(number)))
            })
            .collect()
    };
    let (one, other) = (parts(one), parts(other));
    one.len() == other.len()
        && one.iter().zip(&other).all(|(a, b)| match (a.1, b.1) {
            (Some(a), Some(b)) => a.abs_diff(b) <= 1,
            _ => a == b,
        })
}

/// The first lines in which two drawings differ; `None` where they are alike.
fn first_difference(drawn: &str, known: &str) -> Option<String> {
    let (mut drawn, mut known) = (drawn.lines(), known.lines());
    for number in 1.. {
        let pair = (drawn.next(), known.next());
        match pair {
            (None, None) => return None,
            (Some(drawn), Some(known)) if is_alike(drawn, known) => {}
            (drawn, known) => {
                let shown = |line: Option<&str>| line.unwrap_or("(the end)").to_owned();
                return Some(format!("line {number}:\n- {}\n+ {}", shown(known), shown(drawn)));
            }
        }
    }
    None
}

/// So many of a picture's colours are kept as they are: its areas, lines and texts. Others are the edges between them.
const KEPT_COLOURS: usize = 128;

/// A picture in at most 256 colours, each of them within the tolerance, packed as tightly as can be.
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
    // The last step leaves five values of each channel, 125 colours.
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

/// Where two pictures of one size differ.
struct Difference {
    /// Pixels that are off.
    pixels: usize,
    /// The most of them in one square.
    in_square: usize,
    /// Black where they are, on white.
    picture: Pixmap,
}

impl Difference {
    /// Whether it is more than what rounding makes.
    fn is_seen(&self) -> bool {
        self.in_square > MOST_IN_SQUARE || self.pixels > self.picture.pixels().len() / ONE_OF
    }
}

/// How two pictures differ; `None` when their sizes do.
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
        in_square: most_in_square(&off, one.width() as usize),
        picture,
    })
}

/// The most pixels that are off in any square, of those in rows of `width`.
fn most_in_square(off: &[bool], width: usize) -> usize {
    let (across, down) = (width.div_ceil(STEP), (off.len() / width).div_ceil(STEP));
    // Quarters of squares, with an empty one at the end of each row and an empty row.
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

const ADVICE: &str = "If these changes are meant, draw them again and look at the pictures: FTBENCH_DRAW_GOLDEN=1 cargo test \
                      -p ftbench --test static charts";

#[test]
fn every_chart_is_drawn_as_before() {
    let failures: Vec<String> = charts()
        .into_par_iter()
        .filter_map(|(name, chart)| {
            let drawn = svg(&chart).unwrap();
            let path = golden().join(format!("{name}.svg"));
            if is_to_be_drawn() {
                std::fs::create_dir_all(golden()).unwrap();
                std::fs::write(path, drawn).unwrap();
                return None;
            }
            let known = std::fs::read_to_string(path).unwrap_or_default();
            Some(format!("{name}.svg, {}", first_difference(&drawn, &known)?))
        })
        .collect();
    assert!(failures.is_empty(), "{}\n{ADVICE}", failures.join("\n"));
}

#[test]
fn pictures_look_as_before() {
    let failures: Vec<String> = pictures()
        .into_par_iter()
        .filter_map(|(path, chart)| {
            let drawn = draw(&chart);
            if is_to_be_drawn() {
                write(&path, &drawn);
                return None;
            }
            let known = std::fs::read(&path)
                .ok()
                .and_then(|bytes| Pixmap::decode_png(&bytes).ok());
            let differs = known.and_then(|known| difference(&drawn, &known));
            if differs.as_ref().is_some_and(|differs| !differs.is_seen()) {
                return None;
            }
            let name = path.file_stem().unwrap().to_str().unwrap();
            let seen = Path::new(env!("CARGO_TARGET_TMPDIR")).join("charts");
            write(&seen.join(format!("{name}.png")), &drawn);
            let what = differs.map_or("it has another size, or there was none".to_owned(), |differs| {
                let path = seen.join(format!("{name}-difference.png"));
                write(&path, &differs.picture);
                format!(
                    "{} pixels differ, up to {} close together, shown in {}",
                    differs.pixels,
                    differs.in_square,
                    path.display()
                )
            });
            Some(format!(
                "{name}: {what}; it was drawn as {}/{name}.png",
                seen.display()
            ))
        })
        .collect();
    assert!(failures.is_empty(), "{}\n{ADVICE}", failures.join("\n"));
}

#[test]
fn lines_that_differ_in_a_last_digit_are_alike() {
    assert!(is_alike("<path d=\"M10,20\"/>", "<path d=\"M11,19\"/>"));
    for other in [
        "<path d=\"M10,22\"/>",
        "<path d=\"M10,20z\"/>",
        "<text>M10,20</text>",
    ] {
        assert!(!is_alike("<path d=\"M10,20\"/>", other), "{other}");
    }
    assert_eq!(first_difference("a 1\nb", "a 2\nb"), None);
    assert_eq!(
        first_difference("a\nc", "a\nb").as_deref(),
        Some("line 2:\n- b\n+ c")
    );
    assert!(first_difference("a", "a\nb").unwrap().contains("(the end)"));
}

#[test]
fn pictures_of_synthetic_data_say_so_and_name_no_processor_and_no_build() {
    let real = two_cores().manifest;
    for (name, chart) in charts() {
        let words = [chart.subtitle, chart.caption].concat().join("\n");
        let is_real = name.starts_with("2-");
        assert_eq!(words.contains(SYNTHETIC), !is_real, "{name}: {words}");
        let names_what_is_real = words.contains(&real.machine.cpu_model) || words.contains("CPython");
        assert_eq!(names_what_is_real, is_real, "{name}: {words}");
    }
}

#[test]
fn golden_files_are_few_and_small() {
    if is_to_be_drawn() {
        return;
    }
    let files = std::fs::read_dir(golden()).unwrap();
    let sizes: Vec<u64> = files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .collect();
    assert_eq!(
        sizes.len(),
        charts().len() + IN_DARK.len(),
        "a file that no test draws"
    );
    assert!(sizes.iter().sum::<u64>() < 1_000_000, "{sizes:?}");
}

#[test]
fn one_digit_is_a_difference() {
    let (_, chart) = charts().swap_remove(0);
    let drawn = draw(&chart);
    let same = difference(&drawn, &draw(&chart)).unwrap();
    assert_eq!((same.pixels, same.is_seen()), (0, false));
    // One digit, which hardly differs from the other, in the smallest letters and in those of values.
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
fn a_law_is_drawn_as_far_as_it_was_fitted() {
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
    let fitted = lines.series.iter().filter_map(|series| series.fit.last());
    let ends: Vec<f64> = fitted.map(|[workers, _]| workers.round()).collect();
    assert!(ends.len() > 1 && ends.iter().all(|end| *end == 32.0), "{ends:?}");
}

#[test]
fn joined_runs_are_named_by_what_differs() {
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
            name: None,
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
