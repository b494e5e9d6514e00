//! `ftbench plot` on the command line.

use std::path::PathBuf;

use clap::Args;

use super::values::{kind_parser, model_parser, size};
use super::{PictureFormat, ShowName, ThemeName, completion};
use ftbench_present::chart::{Kind, Size};
use ftbench_schema::Model;

const PLOT_EXAMPLES: &str = "\
Examples:
  ftbench plot RUN --workload nbody --theme dark --size 1920x1080 --format png
  ftbench plot RUN --chart heat-map --show
  ftbench plot RUN1#3.13t RUN2#3.14t --workload nbody --chart interpreters";

/// `ftbench plot`.
#[derive(Debug, Args)]
#[command(after_help = PLOT_EXAMPLES)]
pub struct PlotArgs {
    /// Folders of runs; several are drawn into one chart, their interpreters labelled by what differs. RUN#NAME is one
    /// interpreter or arm of a run
    #[arg(value_name = "RUN", required = true, add = completion::run())]
    pub runs: Vec<String>,
    /// Kind of chart. Of one workload: scaling, throughput, efficiency, makespan, interpreters, memory, spread. Of the
    /// run: gil, overhead, heat-map, efficiency-map, time-line
    #[arg(long, value_name = "KIND", default_value = "scaling", value_parser = kind_parser(), hide_possible_values = true)]
    pub chart: Kind,
    /// Draw only workloads with this name, or matching a pattern such as 'n*' [default: all]
    #[arg(long, value_name = "WORKLOAD")]
    pub workload: Option<String>,
    /// Draw only these models [default: all]
    #[arg(short, long, value_name = "MODEL", value_delimiter = ',', value_parser = model_parser())]
    pub model: Vec<Model>,
    /// Colours of the chart: light (dark on white) or dark (light on black)
    #[arg(long, value_enum, default_value_t = ThemeName::Light, hide_possible_values = true)]
    pub theme: ThemeName,
    /// Size in pixels, such as 1920x1080 [default: 960x600, or larger for many rows or columns; twice that
    /// for a PNG]
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size)]
    pub size: Option<Size>,
    /// Title of the chart, instead of its finding
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// Title of the horizontal axis
    #[arg(long, value_name = "TEXT")]
    pub x_label: Option<String>,
    /// Title of the vertical axis
    #[arg(long, value_name = "TEXT")]
    pub y_label: Option<String>,
    /// Format to write: svg or png [default: from the extension of --out, else svg]
    #[arg(long, value_enum, hide_possible_values = true)]
    pub format: Option<PictureFormat>,
    /// File to write, replaced if it exists, or - for standard output [default: a descriptive name in the charts folder
    /// of the run]
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Show the chart in the terminal and write no file: as a picture where it can (kitty, iterm2, sixel), else in braille
    /// [default: what the terminal can]
    #[arg(
        long,
        value_name = "HOW",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "auto",
        hide_possible_values = true,
        conflicts_with_all = ["out", "format", "size"]
    )]
    pub show: Option<ShowName>,
}
