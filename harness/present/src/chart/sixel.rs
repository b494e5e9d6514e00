//! Sixel, the pictures of DEC's terminals (VT330/VT340 Programmer Reference Manual, chapter 14), out of the SVG.

use std::collections::HashMap;
use std::fmt::Write as _;

use resvg::tiny_skia::Pixmap;

use super::error::ChartError;
use super::png::rasterise;

/// The colours that terminals have for a picture.
const MAX_COLOURS: usize = 256;

/// The rows of pixels that one character covers.
const BAND: u32 = 6;

type Rgb = [u8; 3];

/// Draws an SVG that [`svg`](super::svg) made as a sixel sequence, with `scale` pixels to each of its own.
///
/// # Errors
/// As [`png`](super::png()).
pub fn sixel(svg: &str, scale: f32) -> Result<String, ChartError> {
    Ok(encode(&rasterise(svg, scale)?) + "\n")
}

fn encode(picture: &Pixmap) -> String {
    let palette = Palette::of(picture);
    let (width, height) = (picture.width(), picture.height());
    let mut sequence = format!("\u{1b}P0;1q\"1;1;{width};{height}");
    for (number, colour) in palette.colours.iter().enumerate() {
        let [red, green, blue] = colour.map(|byte| (u32::from(byte) * 100 + 127) / 255);
        // Writing to a string does not fail.
        let _ = write!(sequence, "#{number};2;{red};{green};{blue}");
    }
    for top in (0..height).step_by(BAND as usize) {
        let rows = top..(top + BAND).min(height);
        // For each colour of the band, the bits of its pixels in each column.
        let mut of_colour: Vec<(usize, Vec<u8>)> = Vec::new();
        for (bit, row) in rows.enumerate() {
            for column in 0..width {
                let colour = palette.number(rgb(picture, column, row));
                let columns = match of_colour.iter_mut().find(|(known, _)| *known == colour) {
                    Some((_, columns)) => columns,
                    None => {
                        of_colour.push((colour, vec![0; width as usize]));
                        let Some((_, columns)) = of_colour.last_mut() else {
                            continue;
                        };
                        columns
                    }
                };
                if let Some(bits) = columns.get_mut(column as usize) {
                    *bits |= 1 << bit;
                }
            }
        }
        for (colour, columns) in of_colour {
            let _ = write!(sequence, "#{colour}");
            write_columns(&columns, &mut sequence);
            sequence.push('$');
        }
        sequence.push('-');
    }
    sequence + "\u{1b}\\"
}

/// Writes the characters of a band in one colour, runs of them shortened.
fn write_columns(columns: &[u8], sequence: &mut String) {
    for run in columns.chunk_by(|a, b| a == b) {
        let character = char::from(run.first().copied().unwrap_or(0) + b'?');
        match run.len() {
            length @ ..4 => sequence.extend(std::iter::repeat_n(character, length)),
            length => {
                let _ = write!(sequence, "!{length}{character}");
            }
        }
    }
}

fn rgb(picture: &Pixmap, column: u32, row: u32) -> Rgb {
    picture.pixel(column, row).map_or([0; 3], |pixel| {
        // The last row and column may be covered in part.
        let pixel = pixel.demultiply();
        [pixel.red(), pixel.green(), pixel.blue()]
    })
}

/// The colours of a picture. Charts have few, and edges that are mixtures of two.
struct Palette {
    colours: Vec<Rgb>,
    numbers: HashMap<Rgb, usize>,
}

impl Palette {
    /// Takes all colours if there are few enough, else the most frequent ones and for each other the nearest of these.
    fn of(picture: &Pixmap) -> Self {
        let mut counts: HashMap<Rgb, u32> = HashMap::new();
        for row in 0..picture.height() {
            for column in 0..picture.width() {
                *counts.entry(rgb(picture, column, row)).or_default() += 1;
            }
        }
        let mut by_count: Vec<(Rgb, u32)> = counts.into_iter().collect();
        by_count.sort_by_key(|&(colour, count)| (std::cmp::Reverse(count), colour));
        let all: Vec<Rgb> = by_count.into_iter().map(|(colour, _)| colour).collect();
        let colours: Vec<Rgb> = all.iter().copied().take(MAX_COLOURS).collect();
        let nearest = |colour: Rgb| {
            let distances = colours.iter().map(|&known| distance(known, colour)).enumerate();
            distances
                .min_by_key(|&(_, distance)| distance)
                .map_or(0, |(number, _)| number)
        };
        let numbers = all.iter().map(|&colour| (colour, nearest(colour))).collect();
        Self { colours, numbers }
    }

    fn number(&self, colour: Rgb) -> usize {
        self.numbers.get(&colour).copied().unwrap_or(0)
    }
}

/// The square of the distance of two colours.
fn distance(one: Rgb, other: Rgb) -> u32 {
    let sides = one.iter().zip(other);
    sides.map(|(&a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use resvg::tiny_skia::Color;

    fn picture(width: u32, height: u32, colour: impl Fn(u32, u32) -> Rgb) -> Pixmap {
        let mut picture = Pixmap::new(width, height).unwrap();
        for row in 0..height {
            for column in 0..width {
                let [red, green, blue] = colour(column, row);
                let place = (row * width + column) as usize;
                let pixel = Color::from_rgba8(red, green, blue, 255)
                    .premultiply()
                    .to_color_u8();
                *picture.pixels_mut().get_mut(place).unwrap() = pixel;
            }
        }
        picture
    }

    const WHITE: Rgb = [255; 3];
    const RED: Rgb = [255, 0, 0];

    #[test]
    fn bands_have_each_of_their_colours_once() {
        // Eight rows: a band and a third of one. The first row is red.
        let drawn = encode(&picture(5, 8, |_, row| if row == 0 { RED } else { WHITE }));
        assert_eq!(
            drawn,
            "\u{1b}P0;1q\"1;1;5;8#0;2;100;100;100#1;2;100;0;0#1!5@$#0!5}$-#0!5B$-\u{1b}\\"
        );
    }

    #[test]
    fn short_runs_are_written_out() {
        let mut sequence = String::new();
        write_columns(&[0, 0, 0, 1, 63, 63, 63, 63], &mut sequence);
        assert_eq!(sequence, "???@!4~");
    }

    #[test]
    fn rare_colours_become_the_nearest_frequent_one() {
        let many = picture(400, 4, |column, row| {
            if row > 0 {
                WHITE
            } else {
                [
                    u8::try_from(column % 256).unwrap(),
                    u8::try_from(column / 256).unwrap(),
                    0,
                ]
            }
        });
        let palette = Palette::of(&many);
        assert_eq!(palette.colours.len(), MAX_COLOURS);
        assert_eq!(palette.colours.first(), Some(&WHITE));
        for column in 0..400 {
            let colour = rgb(&many, column, 0);
            let taken = palette.colours.get(palette.number(colour)).copied().unwrap();
            let distances = palette.colours.iter().map(|&known| distance(known, colour));
            assert_eq!(Some(distance(taken, colour)), distances.min());
        }
    }
}
