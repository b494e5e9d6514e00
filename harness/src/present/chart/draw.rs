//! From the description to the drawing: where everything goes, and in which order it is painted.

use super::canvas::{Anchor, Canvas, Letters, Pen, Place, at, finish_document};
use super::font::{self, Face};
use super::labels::{KEY, LEADER};
use super::layout::{self, Frame};
use super::lines::painting_order;
use super::{Axis, Chart, ChartError, Colour, ReferenceLine, Series, Size};
use crate::present::text;
use crate::present::units;

/// Measures in pixels of the usual size; a chart of another size has them in proportion.
const MARGIN: f64 = 32.0;
const TITLE_EM: f64 = 21.0;
const TEXT_EM: f64 = 13.0;
pub(super) const LABEL_EM: f64 = 12.5;
const CAPTION_EM: f64 = 11.0;
/// Room inside the plot left and right of the data, for markers.
pub(super) const INSET: f64 = 16.0;
/// More pixels than this on a side are taken for a mistake.
const MOST_PIXELS: u32 = 16_384;
const TICK_LINE: f64 = 16.0;
const MOST_CAPTION_LINES: usize = 5;

pub(super) type Drawn = Result<(), ChartError>;

/// See [`super::svg`].
pub(super) fn svg(chart: &Chart) -> Result<String, ChartError> {
    let Size { width, height } = chart.size;
    if width < Size::SMALLEST.width || height < Size::SMALLEST.height {
        return Err(ChartError::TooSmall { width, height });
    }
    if width > MOST_PIXELS || height > MOST_PIXELS {
        #[allow(clippy::cast_precision_loss)] // For the message only.
        let (width, height) = (width as f32, height as f32);
        return Err(ChartError::TooLarge {
            width,
            height,
            scale: 1.0,
        });
    }
    font::register()?;
    let mut drawn = String::new();
    let canvas = Canvas::new(&mut drawn, chart.size);
    let sheet = Sheet::new(chart, &canvas);
    sheet.paint()?;
    canvas.finish()?;
    drop(canvas);
    Ok(finish_document(
        &drawn,
        chart.size,
        &chart.title,
        &description(chart),
    ))
}

/// What the picture shows, for people who do not see it.
fn description(chart: &Chart) -> String {
    let of_series = |series: &Series| {
        let points: Vec<String> = series
            .points
            .iter()
            .map(|point| format!("{} at {}", units::number(point.y, 2), units::number(point.x, 0)))
            .collect();
        format!("{}: {}.", series.label, points.join(", "))
    };
    let of_reference = |line: &ReferenceLine| {
        let corners: Vec<String> = line
            .corners
            .iter()
            .map(|[x, y]| format!("{} at {}", units::number(*y, 2), units::number(*x, 0)))
            .collect();
        format!("{}: {}.", line.label, corners.join(", "))
    };
    let measured = chart.references.iter().filter(|line| line.measured);
    let lines: Vec<String> = chart
        .series
        .iter()
        .map(of_series)
        .chain(measured.map(of_reference))
        .collect();
    format!("{} by {}. {}", chart.y.title, chart.x.title, lines.join(" "))
}

/// The chart laid out on its sheet.
pub(super) struct Sheet<'a, 'svg> {
    pub(super) chart: &'a Chart,
    pub(super) canvas: &'a Canvas<'svg>,
    /// Pixels to one of the usual size.
    pub(super) unit: f64,
    pub(super) title: Vec<String>,
    pub(super) subtitle: Vec<String>,
    pub(super) caption: Vec<String>,
    pub(super) plot: Frame,
    /// Lines of the x axis' labels.
    pub(super) tick_lines: f64,
    pub(super) widths: Widths,
}

/// How wide the widest of some texts are, pixels.
pub(super) struct Widths {
    /// Names beside the plot.
    pub(super) names: f64,
    /// Last values beside them.
    pub(super) values: f64,
    /// Labels of the y axis.
    y_ticks: f64,
}

impl Widths {
    fn of(chart: &Chart, unit: f64, room: f64) -> Self {
        let widest = |bold: bool, words: &mut dyn Iterator<Item = &str>| {
            let em = LABEL_EM * unit;
            words
                .map(|word| Face { em, bold }.width(word))
                .fold(0.0, f64::max)
        };
        let names = chart.series.iter().map(|series| series.label.as_str());
        let references = chart.references.iter().map(|line| line.label.as_str());
        let values = &mut chart.series.iter().map(|series| series.value_label.as_str());
        let ticks = &mut chart.y.ticks.iter().map(|tick| tick.label.as_str());
        Self {
            // A long name must not squeeze the plot.
            names: widest(false, &mut names.chain(references)).min(room * 0.25),
            values: widest(true, values),
            y_ticks: widest(false, ticks),
        }
    }
}

impl<'a, 'svg> Sheet<'a, 'svg> {
    fn new(chart: &'a Chart, canvas: &'a Canvas<'svg>) -> Self {
        let (width, height) = (f64::from(chart.size.width), f64::from(chart.size.height));
        let usual = Size::default();
        let unit = (width / f64::from(usual.width)).min(height / f64::from(usual.height));
        let face = |em: f64, bold: bool| Face { em: em * unit, bold };
        let room = width - 2.0 * MARGIN * unit;
        let title = face(TITLE_EM, true).balance(&text::line(&chart.title), room);
        let subtitle: Vec<String> = chart
            .subtitle
            .iter()
            .map(|line| face(TEXT_EM, false).fit(&text::line(line), room))
            .filter(|line| !line.is_empty())
            .collect();
        let caption = caption(chart, face(CAPTION_EM, false), room);
        let widths = Widths::of(chart, unit, room);
        let lines = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        let tick_lines = chart
            .x
            .ticks
            .iter()
            .map(|tick| lines(tick.label.lines().count()))
            .fold(1.0, f64::max);
        let gutter = if widths.names > 0.0 {
            (LEADER + KEY + 14.0) * unit + widths.names + widths.values
        } else {
            0.0
        };
        let plot = Frame {
            left: MARGIN * unit + widths.y_ticks + 8.0 * unit,
            top: (MARGIN + 27.0 * lines(title.len()) + 19.0 * lines(subtitle.len()) + 36.0) * unit,
            right: width - MARGIN * unit - gutter,
            bottom: height - (22.0 + 15.5 * lines(caption.len()) + TICK_LINE * tick_lines + 42.0) * unit,
        };
        Self {
            chart,
            canvas,
            unit,
            title,
            subtitle,
            caption,
            plot,
            tick_lines,
            widths,
        }
    }

    pub(super) fn face(&self, em: f64, bold: bool) -> Face {
        Face {
            em: em * self.unit,
            bold,
        }
    }

    pub(super) fn letters(&self, em: f64, colour: Colour, anchor: Anchor) -> Letters {
        Letters {
            face: self.face(em, false),
            colour,
            anchor,
        }
    }

    fn paint(&self) -> Drawn {
        self.canvas.fill(self.chart.theme.background)?;
        self.heading()?;
        self.grid()?;
        self.workers_axis()?;
        self.references()?;
        for series in &self.chart.series {
            self.band(series)?;
        }
        for series in painting_order(&self.chart.series) {
            self.line(series)?;
        }
        for series in painting_order(&self.chart.series) {
            for point in &series.points {
                self.marker(self.place(point.x, point.y), series)?;
            }
        }
        self.labels()?;
        self.note()?;
        self.foot()
    }

    fn x(&self, value: f64) -> f64 {
        let inset = INSET * self.unit;
        self.plot.left + inset + self.chart.x.share(value) * (self.plot.width() - 2.0 * inset)
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        self.plot.bottom - self.chart.y.share(value) * self.plot.height()
    }

    pub(super) fn place(&self, x: f64, y: f64) -> Place {
        at(self.x(x), self.y(y))
    }

    fn heading(&self) -> Drawn {
        let theme = &self.chart.theme;
        let left = MARGIN * self.unit;
        let mut baseline = (MARGIN + 17.0) * self.unit;
        for line in &self.title {
            let letters = Letters {
                face: self.face(TITLE_EM, true),
                ..self.letters(TITLE_EM, theme.text, Anchor::Start)
            };
            self.canvas.text(line, at(left, baseline), letters)?;
            baseline += 27.0 * self.unit;
        }
        baseline -= 3.0 * self.unit;
        for line in &self.subtitle {
            let letters = self.letters(TEXT_EM, theme.muted, Anchor::Start);
            self.canvas.text(line, at(left, baseline), letters)?;
            baseline += 19.0 * self.unit;
        }
        let title = self.letters(LABEL_EM, theme.text, Anchor::Start);
        let above = at(left, self.plot.top - 12.0 * self.unit);
        self.canvas.text(&self.chart.y.title, above, title)
    }

    fn grid(&self) -> Drawn {
        let theme = &self.chart.theme;
        for tick in &self.chart.y.ticks {
            let y = self.y(tick.value);
            let pen = Pen::solid(theme.grid, self.unit);
            self.canvas
                .line(&[at(self.plot.left, y), at(self.plot.right, y)], pen)?;
            let place = at(self.plot.left - 8.0 * self.unit, y + 0.36 * LABEL_EM * self.unit);
            let letters = self.letters(LABEL_EM, theme.muted, Anchor::End);
            self.canvas.text(&tick.label, place, letters)?;
        }
        Ok(())
    }

    fn workers_axis(&self) -> Drawn {
        let theme = &self.chart.theme;
        let Axis { ticks, title, .. } = &self.chart.x;
        let bottom = self.plot.bottom;
        let pen = Pen::solid(theme.muted, 1.2 * self.unit);
        self.canvas
            .line(&[at(self.plot.left, bottom), at(self.plot.right, bottom)], pen)?;
        let face = self.face(LABEL_EM, false);
        let spans: Vec<(f64, f64)> = ticks
            .iter()
            .map(|tick| {
                let widths = tick.label.lines().map(|line| face.width(line));
                (self.x(tick.value), widths.fold(0.0, f64::max))
            })
            .collect();
        let kept = layout::without_overlap(&spans, 8.0 * self.unit);
        let letters = self.letters(LABEL_EM, theme.muted, Anchor::Middle);
        for ((tick, (x, _)), kept) in ticks.iter().zip(spans).zip(kept) {
            let end = bottom + 5.0 * self.unit;
            self.canvas.line(&[at(x, bottom), at(x, end)], pen)?;
            let mut baseline = bottom + 20.0 * self.unit;
            for line in tick.label.lines().filter(|_| kept) {
                self.canvas.text(line, at(x, baseline), letters)?;
                baseline += TICK_LINE * self.unit;
            }
        }
        let middle = f64::midpoint(self.plot.left, self.plot.right);
        let letters = self.letters(LABEL_EM, theme.text, Anchor::Middle);
        self.canvas.text(
            title,
            at(
                middle,
                bottom + self.tick_lines * TICK_LINE * self.unit + 24.0 * self.unit,
            ),
            letters,
        )
    }

    pub(super) fn reference_pen(&self, line: &ReferenceLine) -> Pen {
        let colour = self.chart.theme.reference;
        if line.label.is_empty() {
            Pen::solid(colour, self.unit)
        } else if line.measured {
            Pen::solid(colour, 1.5 * self.unit)
        } else {
            Pen {
                dash: Some([3.0 * self.unit, 4.0 * self.unit]),
                ..Pen::solid(colour, 1.5 * self.unit)
            }
        }
    }

    fn references(&self) -> Drawn {
        for line in &self.chart.references {
            let corners: Vec<Place> = line.corners.iter().map(|[x, y]| self.place(*x, *y)).collect();
            self.canvas.line(&corners, self.reference_pen(line))?;
        }
        Ok(())
    }

    fn note(&self) -> Drawn {
        let Some(note) = &self.chart.note else {
            return Ok(());
        };
        let centre = at(
            f64::midpoint(self.plot.left, self.plot.right),
            f64::midpoint(self.plot.top, self.plot.bottom),
        );
        let words = self
            .face(TEXT_EM, false)
            .fit(&text::line(note), self.plot.width());
        let letters = self.letters(TEXT_EM, self.chart.theme.muted, Anchor::Middle);
        self.canvas.text(&words, centre, letters)
    }

    fn foot(&self) -> Drawn {
        let lines = f64::from(u32::try_from(self.caption.len()).unwrap_or(u32::MAX));
        let mut baseline = f64::from(self.chart.size.height) - (22.0 + 15.5 * (lines - 1.0)) * self.unit;
        for line in &self.caption {
            let letters = self.letters(CAPTION_EM, self.chart.theme.muted, Anchor::Start);
            self.canvas
                .text(line, at(MARGIN * self.unit, baseline), letters)?;
            baseline += 15.5 * self.unit;
        }
        Ok(())
    }
}

/// The caption's lines: every paragraph may have two, and the last one, on the method, always has its own.
fn caption(chart: &Chart, face: Face, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let Some((method, others)) = chart.caption.split_last() else {
        return lines;
    };
    for paragraph in others {
        lines.extend(face.wrap(&text::line(paragraph), room, 2));
    }
    let method = face.wrap(&text::line(method), room, 2);
    lines.truncate(MOST_CAPTION_LINES.saturating_sub(method.len()));
    lines.extend(method);
    lines
}
