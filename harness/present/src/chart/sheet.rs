//! The frame that is the same for every kind of chart: background, title, subtitle and caption; the body gets the rest.

use super::canvas::{Anchor, Canvas, Letters, at, finish_document};
use super::font::{self, Face};
use super::layout::Frame;
use super::{Body, Chart, ChartError, Colour, Size, heat_map, lines, panels, rows, time_line};
use ftbench_schema::text;

/// Measures in pixels of the usual size; a chart of another size has them in proportion.
pub(super) const MARGIN: f64 = 32.0;
const TITLE_EM: f64 = 21.0;
pub(super) const TEXT_EM: f64 = 13.0;
pub(super) const LABEL_EM: f64 = 12.5;
const CAPTION_EM: f64 = 11.0;
/// More pixels than this on a side are taken for a mistake.
const MOST_PIXELS: u32 = 16_384;
/// The caption may have so many lines, and its last paragraph so many of them.
const MOST_CAPTION_LINES: usize = 6;
const MOST_METHOD_LINES: usize = 2;

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
        &description(&chart.body),
    ))
}

/// What the picture shows, for people who do not see it.
fn description(body: &Body) -> String {
    match body {
        Body::Lines(lines) => lines::description(lines),
        Body::Rows(body) => rows::description(body),
        Body::HeatMap(map) => heat_map::description(map),
        Body::TimeLine(line) => time_line::description(line),
        Body::Panels(body) => panels::description(body),
        Body::Nothing(sentence) => sentence.clone(),
    }
}

/// A count as a number to reckon with.
pub(super) fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// The chart laid out on its sheet.
pub(super) struct Sheet<'a, 'svg> {
    pub(super) chart: &'a Chart,
    pub(super) canvas: &'a Canvas<'svg>,
    /// Pixels to one of the usual size.
    pub(super) unit: f64,
    title: Vec<String>,
    subtitle: Vec<String>,
    caption: Vec<String>,
    /// What the frame leaves to the body.
    pub(super) area: Frame,
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
        let area = Frame {
            left: MARGIN * unit,
            top: (MARGIN + 27.0 * count(title.len()) + 19.0 * count(subtitle.len())) * unit,
            right: width - MARGIN * unit,
            bottom: height - (22.0 + 15.5 * count(caption.len())) * unit,
        };
        Self {
            chart,
            canvas,
            unit,
            title,
            subtitle,
            caption,
            area,
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
        match &self.chart.body {
            Body::Lines(lines) => lines::draw(self, lines)?,
            Body::Rows(body) => rows::draw(self, body)?,
            Body::HeatMap(map) => heat_map::draw(self, map)?,
            Body::TimeLine(line) => time_line::draw(self, line)?,
            Body::Panels(body) => panels::draw(self, body)?,
            Body::Nothing(sentence) => self.sentence(sentence)?,
        }
        self.foot()
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
        Ok(())
    }

    fn sentence(&self, sentence: &str) -> Drawn {
        let Frame {
            left,
            right,
            top,
            bottom,
        } = self.area;
        let centre = at(f64::midpoint(left, right), f64::midpoint(top, bottom));
        let words = self
            .face(TEXT_EM, false)
            .fit(&text::line(sentence), self.area.width());
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

/// The caption's lines: of its paragraphs, the most important first, those that have room as a whole, how many have none,
/// and the last one, on the method, which always stands.
fn caption(chart: &Chart, face: Face, room: f64) -> Vec<String> {
    let Some((method, others)) = chart.caption.split_last() else {
        return Vec::new();
    };
    let wrapped = |paragraph: &String, most: usize| face.wrap(&text::line(paragraph), room, most);
    let method = wrapped(method, MOST_METHOD_LINES);
    let notes: Vec<Vec<String>> = others.iter().map(|note| wrapped(note, usize::MAX)).collect();
    let mut free = MOST_CAPTION_LINES.saturating_sub(method.len());
    if notes.iter().map(Vec::len).sum::<usize>() > free {
        // For the line that says how many are left out.
        free -= 1;
    }
    let mut lines: Vec<String> = Vec::new();
    let mut left_out = 0;
    for note in notes {
        if note.len() <= free {
            free -= note.len();
            lines.extend(note);
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        lines.push(format!(
            "and {}: see the report",
            text::counted(left_out, "more note")
        ));
    }
    lines.extend(method);
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// What a picture of the usual size tells of these paragraphs.
    fn told(paragraphs: &[&str]) -> Vec<String> {
        font::register().unwrap();
        let chart = Chart {
            caption: paragraphs.iter().map(|words| (*words).to_owned()).collect(),
            ..Chart::of(Body::Nothing(String::new()))
        };
        let face = Face {
            em: CAPTION_EM,
            bold: false,
        };
        caption(&chart, face, 896.0)
    }

    #[test]
    fn a_caption_has_whole_paragraphs_and_says_how_many_it_leaves_out() {
        // Some 25 of these fit in a line.
        let [three_lines, two_lines] = [60, 37].map(|words| vec!["words"; words].join(" "));
        assert_eq!(told(&[&three_lines, "method"]).len(), 4);
        assert_eq!(told(&[&three_lines]).len(), MOST_METHOD_LINES);
        let all = told(&["failures", &two_lines, "a", "b", "method"]);
        assert_eq!(all.len(), MOST_CAPTION_LINES);
        assert_eq!(
            (all[0].as_str(), &all[3..]),
            ("failures", ["a", "b", "method"].map(str::to_owned).as_slice())
        );
        let some = told(&["failures", &three_lines, &two_lines, "a", "b", "method"]);
        assert_eq!(some[1..4].join(" "), three_lines);
        assert_eq!(some[4..], ["and 3 more notes: see the report", "method"]);
        let a_long_one_less = told(&[&three_lines, &two_lines, "a", "method"]);
        assert_eq!(
            a_long_one_less[3..],
            ["a", "and 1 more note: see the report", "method"]
        );
        assert!(told(&[]).is_empty());
    }
}
