//! `suda bench plot`: a picture (SVG) from results that were saved with `--json`, one object a line.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::BenchError;

/// The picture's size and margins, in its own units.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 56.0;
/// Lines across, each with its value.
const TICKS: u32 = 5;
/// A colour for each line of points; tell them apart without red and green.
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

/// Arguments of `suda bench plot`.
#[derive(Clone, Debug, clap::Args)]
pub struct PlotOptions {
    /// Files of results, one JSON object a line
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// What to show to the right; dots lead into objects
    #[arg(long, value_name = "NAME", default_value = "asked.rate_per_s")]
    pub x: String,
    /// What to show upwards; several make several lines
    #[arg(long, value_name = "NAME", default_value = "server_cpu_us_per_message")]
    pub y: Vec<String>,
    /// Only results of this scenario
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// Also show the bare relay's figures
    #[arg(long)]
    pub bare: bool,
    /// What stands above
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub title: String,
    /// Steps upwards are tenfold, for times that lie far apart
    #[arg(long)]
    pub logarithmic: bool,
    /// The picture to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Points by what they show.
type Lines = BTreeMap<String, Vec<(f64, f64)>>;

/// Makes the picture.
///
/// # Errors
/// If a file cannot be read or written, or holds nothing to show.
pub fn run(options: &PlotOptions) -> Result<(), BenchError> {
    let mut lines = Lines::new();
    for file in &options.files {
        let failed = |reason: String| BenchError::File { file: file.clone(), reason };
        let text = fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let result: Value = serde_json::from_str(line).map_err(|error| failed(error.to_string()))?;
            add(&mut lines, &result, options);
        }
    }
    for name in &options.y {
        if !lines.contains_key(name) {
            let reason = format!("no result has both {} and {name}", options.x);
            return Err(BenchError::File { file: options.files[0].clone(), reason });
        }
    }
    write(&options.out, &picture(&lines, options))
}

fn write(file: &Path, text: &str) -> Result<(), BenchError> {
    let failed =
        |error: std::io::Error| BenchError::File { file: file.to_owned(), reason: error.to_string() };
    fs::write(file, text).map_err(failed)
}

fn add(lines: &mut Lines, result: &Value, options: &PlotOptions) {
    if options.scenario.as_deref().is_some_and(|scenario| result["scenario"] != scenario) {
        return;
    }
    let Some(x) = number(result, &options.x) else { return };
    for name in &options.y {
        if let Some(y) = number(result, name) {
            lines.entry(name.clone()).or_default().push((x, y));
        }
        if let Some(y) = number(&result["bare"], name).filter(|_| options.bare) {
            lines.entry(format!("bare: {name}")).or_default().push((x, y));
        }
    }
}

/// The number that a name with dots leads to.
fn number(value: &Value, name: &str) -> Option<f64> {
    name.split('.').try_fold(value, |value, part| value.get(part))?.as_f64()
}

/// One direction: where a value stands, and what stands at its lines.
struct Axis {
    low: f64,
    high: f64,
    is_logarithmic: bool,
}

impl Axis {
    fn of(values: impl Iterator<Item = f64>, is_logarithmic: bool) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values {
            low = low.min(value);
            high = high.max(value);
        }
        if is_logarithmic {
            let low = low.max(1e-3).log10().floor();
            return Self { low, high: high.max(1e-2).log10().ceil().max(low + 1.0), is_logarithmic };
        }
        let step = 10f64.powf((high.max(1e-9) / f64::from(TICKS)).log10().floor());
        let high = (high / step / f64::from(TICKS)).ceil() * step * f64::from(TICKS);
        Self { low: low.min(0.0), high: high.max(1e-9), is_logarithmic }
    }

    /// From 0 to 1.
    fn place(&self, value: f64) -> f64 {
        let value = if self.is_logarithmic { value.max(1e-9).log10() } else { value };
        (value - self.low) / (self.high - self.low)
    }

    fn ticks(&self) -> Vec<f64> {
        if self.is_logarithmic {
            return (self.low as i32..=self.high as i32).map(|power| 10f64.powi(power)).collect();
        }
        let step = (self.high - self.low) / f64::from(TICKS);
        (0..=TICKS).map(|tick| self.low + f64::from(tick) * step).collect()
    }
}

fn picture(lines: &Lines, options: &PlotOptions) -> String {
    let points = || lines.values().flatten();
    let across = Axis::of(points().map(|(x, _)| *x), false);
    let up = Axis::of(points().map(|(_, y)| *y), options.logarithmic);
    let x_of = |x: f64| LEFT + across.place(x) * (WIDTH - LEFT - RIGHT);
    let y_of = |y: f64| HEIGHT - BOTTOM - up.place(y) * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<!-- Made by `suda bench plot`. -->\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    let mut text = |x: f64, y: f64, anchor: &str, words: &str| {
        let words = escaped(words);
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>");
    };
    text(LEFT, TOP - 16.0, "start", &options.title);
    text((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 14.0, "middle", &options.x);
    for tick in across.ticks() {
        text(x_of(tick), HEIGHT - BOTTOM + 18.0, "middle", &readable(tick));
    }
    for tick in up.ticks() {
        text(LEFT - 8.0, y_of(tick) + 4.0, "end", &readable(tick));
    }
    for (place, name) in lines.keys().enumerate() {
        text(WIDTH - RIGHT + 26.0, TOP + 8.0 + place as f64 * 18.0, "start", name);
    }
    for tick in up.ticks() {
        let (y, right) = (y_of(tick), WIDTH - RIGHT);
        let _ = writeln!(svg, "<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#ddd\"/>");
    }
    for (place, points) in lines.values().enumerate() {
        let colour = COLOURS[place % COLOURS.len()];
        let mut points = points.clone();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        let at = points.iter().map(|(x, y)| format!("{:.1},{:.1}", x_of(*x), y_of(*y)));
        let at = at.collect::<Vec<_>>();
        let whole = at.join(" ");
        let _ = writeln!(
            svg,
            "<polyline points=\"{whole}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>"
        );
        for (x, y) in points {
            let (x, y) = (x_of(x), y_of(y));
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
        }
        let (x, y) = (WIDTH - RIGHT + 14.0, TOP + 4.0 + place as f64 * 18.0);
        let _ = writeln!(svg, "<circle cx=\"{x}\" cy=\"{y}\" r=\"4\" fill=\"{colour}\"/>");
    }
    svg.push_str("</svg>\n");
    svg
}

fn readable(value: f64) -> String {
    let short = format!("{value:.3}");
    short.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_reach_round_numbers() {
        let axis = Axis::of([3.0, 17.0].into_iter(), false);
        assert_eq!((axis.low, axis.high), (0.0, 20.0));
        assert_eq!(axis.ticks(), [0.0, 4.0, 8.0, 12.0, 16.0, 20.0]);
        let axis = Axis::of([0.4, 70.0].into_iter(), true);
        assert_eq!(axis.ticks(), [0.1, 1.0, 10.0, 100.0]);
        assert!((axis.place(10.0) - 2.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn names_lead_into_objects() {
        let value = serde_json::json!({ "ack_ms": { "p99": 3.5 } });
        assert_eq!(number(&value, "ack_ms.p99"), Some(3.5));
        assert_eq!(number(&value, "ack_ms.p50"), None);
        assert_eq!(readable(1_000.0), "1000");
        assert_eq!(readable(0.25), "0.25");
    }
}
