//! Plots of the book: lines over a number of nodes or callers, from comma-separated values to SVG that takes the page's colours.
//!
//! The values are lines `series,number,value`; the first line is the title, the second says what the values are.

use std::collections::BTreeMap;
use std::fmt::Write;

/// Where figures and their plots lie in the book.
pub const FOLDERS: [&str; 2] = ["internals/plots", "guide/performance"];

const WIDTH: f64 = 680.0;
const HEIGHT: f64 = 300.0;
/// Room for the axes' labels, left and below, and for the series' names, right.
const LEFT: f64 = 50.0;
const RIGHT: f64 = 230.0;
const TOP: f64 = 34.0;
const BELOW: f64 = 34.0;
/// How lines are told apart without colours.
const DASHES: [&str; 4] = ["none", "6 3", "2 3", "9 3 2 3"];

/// One line of a plot: its name, and value by number.
type Series = (String, Vec<(f64, f64)>);

/// The picture of these values.
///
/// # Errors
/// If a line is none of the three columns, or there is none.
pub fn render(csv: &str) -> Result<String, String> {
    let mut lines = csv.lines();
    let (Some(title), Some(unit)) = (lines.next(), lines.next()) else {
        return Err("a title and a unit come first".into());
    };
    let all = read(lines)?;
    let points = || all.iter().flat_map(|(_, points)| points.iter().copied());
    let (least, most) = points().fold((f64::MAX, 1.0_f64), |(a, b), (n, _)| (a.min(n), b.max(n)));
    let step = step(points().fold(0.0, |most, (_, value)| value.max(most)));
    let top = (points().fold(0.0, |most: f64, (_, value)| value.max(most)) / step).ceil() * step;
    let x = |n: f64| LEFT + (n / least).ln() / (most / least).ln().max(f64::EPSILON) * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BELOW - value / top * (HEIGHT - TOP - BELOW);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" style=\"width:100%;min-width:560px\" role=\"img\" \
         aria-label=\"{title}\" fill=\"currentColor\" font-size=\"12\" font-family=\"sans-serif\">\n\
         <text x=\"{LEFT}\" y=\"16\">{title} ({unit})</text>\n"
    );
    let mut write = |line: String| writeln!(out, "{line}").expect("a string takes all");
    for mark in (0..).map(|n| f64::from(n) * step).take_while(|mark| *mark <= top) {
        let (at, end) = (y(mark), WIDTH - RIGHT);
        write(format!(
            "<path d=\"M{LEFT} {at:.1}H{end}\" stroke=\"currentColor\" stroke-opacity=\"0.2\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{mark}</text>",
            LEFT - 6.0,
            at + 4.0
        ));
    }
    let sizes: BTreeMap<u64, f64> = points().map(|(n, _)| (n as u64, n)).collect();
    for (label, n) in sizes {
        let at = x(n);
        write(format!(
            "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
            HEIGHT - BELOW + 18.0
        ));
    }
    for (index, (name, points)) in all.iter().enumerate() {
        let path: Vec<_> = points.iter().map(|&(n, v)| format!("{:.1} {:.1}", x(n), y(v))).collect();
        let (dash, key) = (DASHES[index % DASHES.len()], TOP + 8.0 + 20.0 * index as f64);
        let (from, to) = (WIDTH - RIGHT + 14.0, WIDTH - RIGHT + 44.0);
        write(format!(
            "<path d=\"M{} M{from} {key}H{to}\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\" \
             stroke-dasharray=\"{dash}\"/><text x=\"{}\" y=\"{}\">{name}</text>",
            path.join("L"),
            to + 6.0,
            key + 4.0
        ));
    }
    out.push_str("</svg>\n");
    Ok(out)
}

fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<Series>, String> {
    let mut all: Vec<Series> = Vec::new();
    for line in lines {
        let wrong = || format!("`{line}` is not `series,nodes,value`");
        let mut cells = line.split(',');
        let (Some(name), Some(n), Some(value), None) =
            (cells.next(), cells.next(), cells.next(), cells.next())
        else {
            return Err(wrong());
        };
        let point = (n.parse().map_err(|_| wrong())?, value.parse().map_err(|_| wrong())?);
        match all.iter_mut().find(|(known, _)| known == name) {
            Some((_, points)) => points.push(point),
            None => all.push((name.to_owned(), vec![point])),
        }
    }
    if all.is_empty() { Err("there is no value".into()) } else { Ok(all) }
}

/// A round distance between marks, so that there are four to ten.
fn step(most: f64) -> f64 {
    let decade = 10_f64.powf(most.max(f64::MIN_POSITIVE).log10().floor());
    let share = most / decade;
    decade
        * if share < 2.0 {
            0.25
        } else if share < 5.0 {
            0.5
        } else {
            1.0
        }
}
