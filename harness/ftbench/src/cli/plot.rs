//! `ftbench plot`.

use std::path::PathBuf;

use clap::Args;

use super::values::{kind_parser, model_parser, size};
use super::{PictureFormat, ThemeName};
use ftbench_present::chart::{Kind, Size};
use ftbench_schema::Model;

const PLOT_EXAMPLES: &str = "\
Examples:
  ftbench plot RUN --workload nbody --theme dark --size 1920x1080 --format png
  ftbench plot RUN --chart heat-map
  ftbench plot RUN1#3.13t RUN2#3.14t --workload nbody --chart interpreters";

/// `ftbench plot`.
#[derive(Debug, Args)]
#[command(after_help = PLOT_EXAMPLES)]
pub struct PlotArgs {
    /// Folders of runs; several are drawn into one chart, their interpreters named by what differs. RUN#NAME is one
    /// interpreter or arm of a run
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<String>,
    /// What to draw. Of one workload: scaling, throughput, efficiency, interpreters, memory, spread. Of the run: gil,
    /// overhead, heat-map, efficiency-map, time-line
    #[arg(long, value_name = "KIND", default_value = "scaling", value_parser = kind_parser())]
    pub chart: Kind,
    /// A workload, or a pattern such as 'n*'; a chart of one workload is drawn for each that matches [default: all]
    #[arg(long, value_name = "WORKLOAD")]
    pub workload: Option<String>,
    /// Only these models [default: all]
    #[arg(short, long, value_name = "MODEL", value_delimiter = ',', value_parser = model_parser())]
    pub model: Vec<Model>,
    /// Dark on white (light), or light on black (dark)
    #[arg(long, value_enum, default_value_t = ThemeName::Light, hide_possible_values = true)]
    pub theme: ThemeName,
    /// Pixels, such as 1920x1080 [default: 960x600, or higher where there are many rows; a PNG has twice as many]
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size)]
    pub size: Option<Size>,
    /// The title, instead of the finding
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// The title of the horizontal axis
    #[arg(long, value_name = "TEXT")]
    pub x_label: Option<String>,
    /// The title of the vertical axis
    #[arg(long, value_name = "TEXT")]
    pub y_label: Option<String>,
    /// Write svg, or png [default: by the ending of --out, svg without one]
    #[arg(long, value_enum, hide_possible_values = true)]
    pub format: Option<PictureFormat>,
    /// The file to write, - for standard output; one that is there is replaced [default: a name that says what it is,
    /// in the run's folder charts]
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
