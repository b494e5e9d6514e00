//! The frame that is the same for every kind of chart: background, title, subtitle and caption; the body gets the rest.

use super::canvas::{Anchor, Canvas, Letters, at};
use super::drawn::{Body, Chart};
use super::error::{ChartError, Size};
use super::font::{self, Face};
use super::ink::Ink;
use super::layout::Frame;
use super::sheet::{Drawn, LABEL_EM, Sheet, count};
use super::svg::Target;
use super::{heat_map, lines, panels, rows, time_line};
use ftbench_schema::text;

/// Measures in pixels of the usual size; a chart of another size has them in proportion.
const MARGIN: f64 = 32.0;
const TITLE_EM: f64 = 21.0;
const TEXT_EM: f64 = 13.0;
const CAPTION_EM: f64 = 11.0;
/// Maximum pixels on a side: more is taken for a mistake.
const MOST_PIXELS: u32 = 16_384;
/// Maximum number of lines of a caption, and of its last paragraph.
const MOST_CAPTION_LINES: usize = 6;
const MOST_METHOD_LINES: usize = 2;

/// Draws a chart in its frame. See [`super::svg`] and [`super::page_svg`].
pub(super) fn svg(chart: &Chart, target: Target) -> Result<String, ChartError> {
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
    let usual = Size::default();
    let unit = (f64::from(width) / f64::from(usual.width)).min(f64::from(height) / f64::from(usual.height));
    let canvas = Canvas::new(target, chart.size, LABEL_EM * unit);
    Framed::new(chart, &canvas, unit).paint()?;
    canvas.finish(&chart.title, &description(&chart.body))
}

/// Draws the body alone, at its usual size. See [`super::page_body`].
pub(super) fn body(chart: &Chart) -> Result<String, ChartError> {
    alone(chart, Target::Page, true)
}

/// Draws the body alone, at its usual size, with the names of its series in it and without a background.
pub(super) fn unframed(chart: &Chart, target: Target) -> Result<String, ChartError> {
    alone(chart, target, false)
}

fn alone(chart: &Chart, target: Target, is_bare: bool) -> Result<String, ChartError> {
    font::register()?;
    let canvas = Canvas::new(target, chart.size, LABEL_EM);
    let sheet = Sheet {
        canvas: &canvas,
        unit: 1.0,
        area: Frame {
            left: 2.0,
            top: 0.0,
            right: f64::from(chart.size.width) - 2.0,
            bottom: f64::from(chart.size.height),
        },
        is_bare,
    };
    draw(&sheet, &chart.body)?;
    canvas.finish(&chart.title, "")
}

fn draw(sheet: &Sheet<'_>, body: &Body) -> Drawn {
    match body {
        Body::Lines(lines) => lines::draw(sheet, lines),
        Body::Rows(body) => rows::draw(sheet, body),
        Body::HeatMap(map) => heat_map::draw(sheet, map),
        Body::TimeLine(line) => time_line::draw(sheet, line),
        Body::Panels(body) => panels::draw(sheet, body),
        Body::Nothing(sentence) => draw_sentence(sheet, sentence),
    }
}

fn draw_sentence(sheet: &Sheet<'_>, sentence: &str) -> Drawn {
    let Frame {
        left,
        right,
        top,
        bottom,
    } = sheet.area;
    let centre = at(f64::midpoint(left, right), f64::midpoint(top, bottom));
    let words = sheet
        .face(TEXT_EM, false)
        .fit(&text::line(sentence), sheet.area.width());
    let letters = sheet.letters(TEXT_EM, Ink::Muted, Anchor::Middle);
    sheet.canvas.text(&words, centre, letters)
}

/// Describes what the picture shows, for people who do not see it.
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

/// The chart laid out: the lines of its frame, and the sheet for its body.
struct Framed<'a> {
    chart: &'a Chart,
    title: Vec<String>,
    subtitle: Vec<String>,
    caption: Vec<String>,
    sheet: Sheet<'a>,
}

impl<'a> Framed<'a> {
    fn new(chart: &'a Chart, canvas: &'a Canvas, unit: f64) -> Self {
        let (width, height) = (f64::from(chart.size.width), f64::from(chart.size.height));
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
            title,
            subtitle,
            caption,
            sheet: Sheet {
                canvas,
                unit,
                area,
                is_bare: false,
            },
        }
    }

    fn paint(&self) -> Drawn {
        self.sheet.canvas.fill(Ink::Background)?;
        self.heading()?;
        draw(&self.sheet, &self.chart.body)?;
        self.foot()
    }

    fn heading(&self) -> Drawn {
        let left = MARGIN * self.sheet.unit;
        let mut baseline = (MARGIN + 17.0) * self.sheet.unit;
        for line in &self.title {
            let letters = Letters {
                face: self.sheet.face(TITLE_EM, true),
                ..self.sheet.letters(TITLE_EM, Ink::Text, Anchor::Start)
            };
            self.sheet.canvas.text(line, at(left, baseline), letters)?;
            baseline += 27.0 * self.sheet.unit;
        }
        baseline -= 3.0 * self.sheet.unit;
        for line in &self.subtitle {
            let letters = self.sheet.letters(TEXT_EM, Ink::Muted, Anchor::Start);
            self.sheet.canvas.text(line, at(left, baseline), letters)?;
            baseline += 19.0 * self.sheet.unit;
        }
        Ok(())
    }

    fn foot(&self) -> Drawn {
        let lines = count(self.caption.len());
        let mut baseline =
            f64::from(self.chart.size.height) - (22.0 + 15.5 * (lines - 1.0)) * self.sheet.unit;
        for line in &self.caption {
            let letters = self.sheet.letters(CAPTION_EM, Ink::Muted, Anchor::Start);
            self.sheet
                .canvas
                .text(line, at(MARGIN * self.sheet.unit, baseline), letters)?;
            baseline += 15.5 * self.sheet.unit;
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

    /// The caption of a picture of the usual size that has these paragraphs.
    fn shown(paragraphs: &[&str]) -> Vec<String> {
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
    fn a_caption_has_whole_paragraphs_and_counts_those_left_out() {
        // Some 25 of these fit in a line.
        let [three_lines, two_lines] = [60, 37].map(|words| vec!["words"; words].join(" "));
        assert_eq!(shown(&[&three_lines, "method"]).len(), 4);
        assert_eq!(shown(&[&three_lines]).len(), MOST_METHOD_LINES);
        let all = shown(&["failures", &two_lines, "a", "b", "method"]);
        assert_eq!(all.len(), MOST_CAPTION_LINES);
        assert_eq!(
            (all[0].as_str(), &all[3..]),
            ("failures", ["a", "b", "method"].map(str::to_owned).as_slice())
        );
        let some = shown(&["failures", &three_lines, &two_lines, "a", "b", "method"]);
        assert_eq!(some[1..4].join(" "), three_lines);
        assert_eq!(some[4..], ["and 3 more notes: see the report", "method"]);
        let a_long_one_less = shown(&[&three_lines, &two_lines, "a", "method"]);
        assert_eq!(
            a_long_one_less[3..],
            ["a", "and 1 more note: see the report", "method"]
        );
        assert!(shown(&[]).is_empty());
    }
}
