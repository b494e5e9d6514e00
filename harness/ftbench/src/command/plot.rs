//! `ftbench plot`.

use std::path::{Path, PathBuf};

use itertools::Itertools;
use rayon::prelude::*;

use super::error::OutputError;
use super::fleet;
use super::selector::Selector;
use super::{OutputOptions, print, remark, style, window_size, write_out};
use crate::cli::{PictureFormat, PlotArgs, ShowName};
use crate::error::{Error, ExitStatus, Failure};
use crate::record::file_name::{file_name, file_names};
use crate::record::fleet::is_fleet;
use crate::record::store::{self, CHARTS};
use crate::terminal::pictures::{self, Protocol};
use ftbench_analyse::fleet::{Member, machine_names};
use ftbench_analyse::summary::summarise;
use ftbench_present::chart::{self, Chart, ChartError, JoinError, Kind, Material, Part};
use ftbench_schema::{pattern, suggest};

/// Pixels of a PNG per pixel of the chart if no size is given. Suits screens of high resolution.
pub(super) const PNG_SCALE: f32 = 2.0;

/// The scale below which the letters of a picture cannot be read.
const SMALLEST_SCALE: f32 = 0.5;

/// Why no chart is drawn.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// A workload that the run does not have.
    #[error("no workload of the run is named or matches '{name}'{hint}; 'ftbench show RUN' lists them")]
    UnknownWorkload {
        /// The pattern or name.
        name: String,
        /// A suggestion, or empty.
        hint: String,
    },
    /// A malformed pattern.
    #[error(
        "'{name}' is not a pattern of names: {reason}; give a name such as fib, or a pattern such as 'n*'"
    )]
    Pattern {
        /// The pattern or name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Several charts for one file.
    #[error(
        "{count} workloads would be drawn into one file; name one with --workload, such as {first}, or leave out --out"
    )]
    OneFile {
        /// How many.
        count: usize,
        /// The first of them.
        first: String,
    },
    /// A file name with another extension.
    #[error("'{}' is neither an .svg nor a .png file; give one of these extensions", .0.display())]
    Extension(PathBuf),
    /// A kind of chart that shows only one run.
    #[error("a {kind} chart shows only one run; give one folder")]
    OneRun {
        /// The kind's name.
        kind: &'static str,
    },
    /// A chart that cannot be drawn.
    #[error("cannot draw the chart of {workload}: {source}")]
    Chart {
        /// The workload.
        workload: String,
        /// What went wrong.
        source: ChartError,
    },
}

impl Failure for PlotError {
    fn exit_status(&self) -> ExitStatus {
        use ChartError::{Draw, Encode, Font, Svg};
        match self {
            Self::Chart {
                source: Font | Draw(_) | Svg(_) | Encode(_),
                ..
            } => ExitStatus::MachineFailed,
            _ => ExitStatus::WrongInput,
        }
    }
}

impl Failure for JoinError {}

/// Draws charts of a run, or one of several runs.
pub fn plot(arguments: &PlotArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let kind = arguments.chart;
    if kind == Kind::TimeLine && arguments.runs.len() > 1 {
        return Err(PlotError::OneRun { kind: kind.name() }.into());
    }
    let format = format(arguments)?;
    let named: Vec<Selector<'_>> = arguments.runs.iter().map(|word| Selector::of(word)).collect();
    let parts: Vec<Vec<Part>> = named
        .iter()
        .map(|named| read(named, kind, output))
        .collect::<Result<_, Error>>()?;
    let parts: Vec<Part> = parts.into_iter().flatten().collect();
    if kind == Kind::TimeLine && parts.len() > 1 {
        return Err(PlotError::OneRun { kind: kind.name() }.into());
    }
    let mut material = chart::join(parts, &arguments.model)?;
    let known = workloads(&material);
    let workloads = choose(&known, arguments.workload.as_deref())?;
    if arguments.workload.is_some() {
        let is_chosen = |name: &String| workloads.contains(name);
        material.summary.cells.retain(|cell| is_chosen(&cell.workload));
        material.trials.retain(|trial| is_chosen(&trial.cell.workload));
        let overheads = &mut material.summary.free_threading_overhead;
        overheads.retain(|overhead| overhead.workload.as_ref().is_some_and(is_chosen));
    }
    // A chart of the whole run has an empty name.
    let drawn: Vec<(String, String)> = if kind.of_one_workload() {
        let names = file_names(known.iter().map(String::as_str)).into_iter();
        let drawn = names.filter(|(workload, _)| workloads.iter().any(|chosen| chosen == workload));
        drawn
            .map(|(workload, name)| (workload.to_owned(), name))
            .collect()
    } else {
        vec![(String::new(), String::new())]
    };
    if let Some(how) = arguments.show {
        return show(arguments, how, &material, &drawn, output);
    }
    if let (Some(_), [(first, _), _, ..]) = (&arguments.out, drawn.as_slice()) {
        return Err(PlotError::OneFile {
            count: drawn.len(),
            first: first.clone(),
        }
        .into());
    }
    let pictures: Vec<Vec<u8>> = drawn
        .par_iter()
        .map(|(workload, _)| picture(arguments, format, &material, workload))
        .collect::<Result<_, PlotError>>()?;
    for ((_, workload_name), bytes) in drawn.iter().zip(pictures) {
        if arguments.out.as_deref() == Some(Path::new("-")) {
            write_out(&bytes).map_err(OutputError::Write)?;
            continue;
        }
        let path = match &arguments.out {
            Some(path) => {
                store::write_bytes(path, &bytes)?;
                path.clone()
            }
            None => {
                let folder = named.first().map_or(Path::new("."), |run| run.folder);
                let name = default_name(arguments, format, &named, workload_name);
                store::write_inside(folder, &name, &bytes)?;
                folder.join(name)
            }
        };
        print(&format!("{}\n", path.display()))?;
    }
    Ok(ExitStatus::Success)
}

/// Reads a run, or all runs of a fleet.
fn read(named: &Selector<'_>, kind: Kind, output: OutputOptions) -> Result<Vec<Part>, Error> {
    if is_fleet(named.folder) {
        return of_fleet(named, kind, output);
    }
    let run = store::read(named.folder)?;
    for damage in run.damage() {
        remark(output, &format!("warning: {damage}"));
    }
    let summary = summarise(&run.name, &run.manifest, &run.trials);
    Ok(vec![Part {
        summary,
        trials: if kind.takes_trials() {
            run.trials
        } else {
            Vec::new()
        },
        interpreter: named.name.map(str::to_owned),
        name: None,
    }])
}

fn of_fleet(named: &Selector<'_>, kind: Kind, output: OutputOptions) -> Result<Vec<Part>, Error> {
    let (_, runs) = fleet::read::read(named.folder, kind.takes_trials(), output)?;
    let members: Vec<&Member> = runs.iter().map(|run| &run.member).collect();
    let names = machine_names(&members);
    let parts = runs.into_iter().zip(names).map(|(run, name)| Part {
        summary: run.member.summary,
        trials: if kind.takes_trials() {
            run.trials
        } else {
            Vec::new()
        },
        interpreter: named.name.map(str::to_owned),
        name: Some(name),
    });
    Ok(parts.collect())
}

/// The names of the workloads, in the order of the run.
fn workloads(material: &Material) -> Vec<String> {
    let cells = material.summary.cells.iter();
    cells.map(|cell| cell.workload.clone()).unique().collect()
}

/// Selects the requested workloads, or all of them.
fn choose(names: &[String], wanted: Option<&str>) -> Result<Vec<String>, PlotError> {
    let Some(wanted) = wanted else {
        return Ok(names.to_vec());
    };
    let known = names.iter().map(String::as_str);
    let matching = pattern::matching(wanted, known.clone()).map_err(|error| PlotError::Pattern {
        name: wanted.to_owned(),
        reason: error.to_string(),
    })?;
    if matching.is_empty() {
        let nearest = suggest::nearest(wanted, known);
        return Err(PlotError::UnknownWorkload {
            name: wanted.to_owned(),
            hint: suggest::did_you_mean(&nearest),
        });
    }
    Ok(known
        .filter(|name| matching.contains(name))
        .map(str::to_owned)
        .collect())
}

fn picture(
    arguments: &PlotArgs,
    format: PictureFormat,
    material: &Material,
    workload: &str,
) -> Result<Vec<u8>, PlotError> {
    let mut chart = described(arguments, material, workload)?;
    chart.size = arguments.size.unwrap_or(chart.size);
    let svg = chart::svg(&chart).map_err(failed(workload))?;
    match format {
        PictureFormat::Svg => chart::svg_file(&svg).map_err(failed(workload)),
        PictureFormat::Png => {
            let scale = if arguments.size.is_some() { 1.0 } else { PNG_SCALE };
            chart::png(&svg, scale).map_err(failed(workload))
        }
    }
}

/// The chart with the user's colours and words.
fn described(arguments: &PlotArgs, material: &Material, workload: &str) -> Result<Chart, PlotError> {
    let mut chart: Chart = chart::make(arguments.chart, material, workload);
    chart.theme = arguments.theme.into();
    if let Some(title) = &arguments.title {
        chart.title.clone_from(title);
    }
    chart
        .relabel(arguments.x_label.as_deref(), arguments.y_label.as_deref())
        .map_err(failed(workload))?;
    Ok(chart)
}

/// Returns a function that turns an error into the error that the chart of a workload cannot be drawn.
fn failed(workload: &str) -> impl Fn(ChartError) -> PlotError {
    let workload = if workload.is_empty() { "the run" } else { workload }.to_owned();
    move |source| PlotError::Chart {
        workload: workload.clone(),
        source,
    }
}

/// Shows charts in the terminal.
fn show(
    arguments: &PlotArgs,
    how: ShowName,
    material: &Material,
    drawn: &[(String, String)],
    output: OutputOptions,
) -> Result<ExitStatus, Error> {
    let protocol = match how {
        ShowName::Auto => pictures::protocol(),
        ShowName::Kitty => Protocol::Kitty,
        ShowName::Iterm2 => Protocol::Iterm2,
        ShowName::Sixel => Protocol::Sixel,
        ShowName::Braille => Protocol::Braille,
    };
    let window = window_size();
    let shown: Vec<String> = drawn
        .par_iter()
        .map(|(workload, _)| {
            let chart = described(arguments, material, workload)?;
            let failed = failed(workload);
            if protocol == Protocol::Braille {
                let rows = window.map(|window| window.ws_row);
                return chart::braille(&chart, style(output), rows).map_err(failed);
            }
            let svg = chart::svg(&chart).map_err(&failed)?;
            let scale = scale_for(window.map(|window| window.ws_xpixel), chart.size.width);
            match protocol {
                Protocol::Sixel => chart::sixel(&svg, scale).map_err(failed),
                Protocol::Kitty => Ok(chart::kitty(&chart::png(&svg, scale).map_err(failed)?)),
                Protocol::Iterm2 | Protocol::Braille => {
                    Ok(chart::iterm2(&chart::png(&svg, scale).map_err(failed)?))
                }
            }
        })
        .collect::<Result<_, PlotError>>()?;
    print(&shown.join("\n"))?;
    Ok(ExitStatus::Success)
}

/// Pixels of a picture per pixel of the chart: as wide as the terminal, at most like a PNG. A terminal that does not
/// know its size in pixels gets the chart's own.
fn scale_for(terminal_pixels: Option<u16>, chart_pixels: u32) -> f32 {
    let Some(pixels) = terminal_pixels.filter(|pixels| *pixels > 0) else {
        return 1.0;
    };
    // Charts are at most 16384 pixels wide: nothing is lost.
    #[allow(clippy::cast_precision_loss)]
    let fitting = f32::from(pixels) / chart_pixels.max(1) as f32;
    fitting.clamp(SMALLEST_SCALE, PNG_SCALE)
}

/// The requested format, else the format of the file name, else SVG.
fn format(arguments: &PlotArgs) -> Result<PictureFormat, PlotError> {
    match (arguments.format, &arguments.out) {
        (Some(format), _) => Ok(format),
        (None, None) => Ok(PictureFormat::Svg),
        (None, Some(path)) => format_of(path),
    }
}

/// The format for the extension of a file name; SVG without an extension, as for `-` and devices.
pub(super) fn format_of(path: &Path) -> Result<PictureFormat, PlotError> {
    let Some(extension) = path.extension() else {
        return Ok(PictureFormat::Svg);
    };
    [("svg", PictureFormat::Svg), ("png", PictureFormat::Png)]
        .into_iter()
        .find(|(name, _)| extension.eq_ignore_ascii_case(name))
        .map(|(_, format)| format)
        .ok_or_else(|| PlotError::Extension(path.to_owned()))
}

/// In the first run's folder of charts, with a name that says what it is of. `of_workload` is the name of files of the
/// workload that it is of, if it is of one.
fn default_name(
    arguments: &PlotArgs,
    format: PictureFormat,
    named: &[Selector<'_>],
    workload_name: &str,
) -> String {
    let mut words: Vec<String> = Vec::new();
    if !workload_name.is_empty() {
        words.push(workload_name.to_owned());
    } else if let Some(wanted) = &arguments.workload {
        words.push(file_name(wanted));
    }
    words.push(arguments.chart.name().to_owned());
    words.extend(arguments.model.iter().map(|model| file_name(model.name())));
    for (position, run) in named.iter().enumerate() {
        if position > 0 {
            let folder = run.folder.file_name().unwrap_or_default().to_string_lossy();
            words.push(format!("and-{}", file_name(&folder)));
        }
        words.extend(run.name.map(file_name));
    }
    if arguments.theme.is_dark() {
        words.push("dark".to_owned());
    }
    let extension = match format {
        PictureFormat::Svg => "svg",
        PictureFormat::Png => "png",
    };
    format!("{CHARTS}/{}.{extension}", file_name(&words.join("-")))
}
