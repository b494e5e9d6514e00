//! The frame that is the same for every kind of chart: background, title, subtitle and caption; the body gets the rest.

use super::canvas::{Anchor, Canvas, Letters, at, finish_document};
use super::drawn::{Body, Chart};
use super::error::{ChartError, Size};
use super::font::{self, Face};
use super::layout::Frame;
use super::sheet::{Drawn, Sheet, count};
use super::{heat_map, lines, panels, rows, time_line};
use ftbench_schema::text;

/// Measures in pixels of the usual size; a chart of another size has them in proportion.
const MARGIN: f64 = 32.0;
const TITLE_EM: f64 = 21.0;
const TEXT_EM: f64 = 13.0;
const CAPTION_EM: f64 = 11.0;
/// More pixels than this on a side are taken for a mistake.
const MOST_PIXELS: u32 = 16_384;
/// The caption may have so many lines, and its last paragraph so many of them.
const MOST_CAPTION_LINES: usize = 6;
const MOST_METHOD_LINES: usize = 2;

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
    Framed::new(chart, &canvas).paint()?;
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

/// The chart laid out: the lines of its frame, and the sheet for its body.
struct Framed<'a, 'svg> {
    chart: &'a Chart,
    title: Vec<String>,
    subtitle: Vec<String>,
    caption: Vec<String>,
    sheet: Sheet<'a, 'svg>,
}

impl<'a, 'svg> Framed<'a, 'svg> {
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
            title,
            subtitle,
            caption,
            sheet: Sheet {
                canvas,
                theme: &chart.theme,
                unit,
                area,
            },
        }
    }

    fn paint(&self) -> Drawn {
        self.sheet.canvas.fill(self.sheet.theme.background)?;
        self.heading()?;
        match &self.chart.body {
            Body::Lines(lines) => lines::draw(&self.sheet, lines)?,
            Body::Rows(body) => rows::draw(&self.sheet, body)?,
            Body::HeatMap(map) => heat_map::draw(&self.sheet, map)?,
            Body::TimeLine(line) => time_line::draw(&self.sheet, line)?,
            Body::Panels(body) => panels::draw(&self.sheet, body)?,
            Body::Nothing(sentence) => self.sentence(sentence)?,
        }
        self.foot()
    }

    fn heading(&self) -> Drawn {
        let theme = self.sheet.theme;
        let left = MARGIN * self.sheet.unit;
        let mut baseline = (MARGIN + 17.0) * self.sheet.unit;
        for line in &self.title {
            let letters = Letters {
                face: self.sheet.face(TITLE_EM, true),
                ..self.sheet.letters(TITLE_EM, theme.text, Anchor::Start)
            };
            self.sheet.canvas.text(line, at(left, baseline), letters)?;
            baseline += 27.0 * self.sheet.unit;
        }
        baseline -= 3.0 * self.sheet.unit;
        for line in &self.subtitle {
            let letters = self.sheet.letters(TEXT_EM, theme.muted, Anchor::Start);
            self.sheet.canvas.text(line, at(left, baseline), letters)?;
            baseline += 19.0 * self.sheet.unit;
        }
        Ok(())
    }

    fn sentence(&self, sentence: &str) -> Drawn {
        let Frame {
            left,
            right,
            top,
            bottom,
        } = self.sheet.area;
        let centre = at(f64::midpoint(left, right), f64::midpoint(top, bottom));
        let words = self
            .sheet
            .face(TEXT_EM, false)
            .fit(&text::line(sentence), self.sheet.area.width());
        let letters = self
            .sheet
            .letters(TEXT_EM, self.sheet.theme.muted, Anchor::Middle);
        self.sheet.canvas.text(&words, centre, letters)
    }

    fn foot(&self) -> Drawn {
        let lines = count(self.caption.len());
        let mut baseline =
            f64::from(self.chart.size.height) - (22.0 + 15.5 * (lines - 1.0)) * self.sheet.unit;
        for line in &self.caption {
            let letters = self
                .sheet
                .letters(CAPTION_EM, self.sheet.theme.muted, Anchor::Start);
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
