//! A plot of results as SVG: for each step, our value divided by each peer's.
//!
//! A bar begins at 1, which is the peer's value. It extends to the left if we need less, and to the
//! right if we need more. The scale is logarithmic, so that the lengths of bars can be compared.

use std::fmt::Write;

use crate::results::{Results, Row};
use crate::table::{amount, times};

/// The width of the picture. All lengths here are in the picture's own units.
const WIDTH: f64 = 760.0;
/// The x position where the peers' names end and the leftmost bar may begin.
const LEFT: f64 = 96.0;
/// The rightmost position of bars. Their labels follow.
const RIGHT: f64 = 590.0;
/// Height of one bar's line.
const LINE: f64 = 20.0;
/// Room above and below the bars, for the title and the axis.
const MARGIN: f64 = 34.0;

/// The colours, for a light or a dark page.
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1f2328}.step{font-weight:600}\
.end{text-anchor:end}.middle{text-anchor:middle}.less{fill:#2a78d6}.more{fill:#c2570c}\
.axis{stroke:#8c959f;stroke-width:1}.grid{stroke:#8c959f;stroke-opacity:.3}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.less{fill:#58a6ff}.more{fill:#f0883e}}";

/// The range of the scale, as exponents of ten: `low` is at most 0, `high` at least 1.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// Returns the smallest range of whole exponents that covers all ratios.
    fn of(ratios: impl Iterator<Item = f64>) -> Self {
        let mut scale = Self { low: 0.0, high: 1.0 };
        for power in ratios.map(f64::log10) {
            scale.low = scale.low.min(power.floor());
            scale.high = scale.high.max(power.ceil());
        }
        scale
    }

    /// The position of a ratio, from the left.
    fn at(&self, ratio: f64) -> f64 {
        LEFT + (ratio.log10() - self.low) / (self.high - self.low) * (RIGHT - LEFT)
    }
}

/// Draws the plot. Rows without two values to compare are left out.
pub fn svg(results: &Results, title: &str) -> String {
    let rows: Vec<_> = results.rows.iter().filter(|row| !bars(row).is_empty()).collect();
    let scale = Scale::of(rows.iter().flat_map(|row| bars(row)).map(|(_, ratio)| ratio));
    let lines: usize = rows.iter().map(|row| bars(row).len() + 1).sum();
    let bottom = MARGIN + lines as f64 * LINE + rows.len() as f64 * LINE / 2.0;
    let height = bottom + MARGIN;
    let title = match results.columns.first() {
        Some(first) => format!("{title}; {first} divided by each"),
        None => title.to_owned(),
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n<text x=\"0\" y=\"16\">{title}</text>\n",
        title = escaped(&title),
    );
    axis(&mut svg, &scale, bottom);
    let mut top = MARGIN;
    for row in rows {
        group(&mut svg, results, row, &scale, top);
        top += (bars(row).len() as f64 + 1.5) * LINE;
    }
    svg + "</svg>\n"
}

/// Returns the columns that can be compared with the first, each with its [`Row::ratio`].
fn bars(row: &Row) -> Vec<(usize, f64)> {
    let bar = |index| row.ratio(index).filter(|ratio| *ratio > 0.0).map(|ratio| (index, ratio));
    (1..row.cells.len()).filter_map(bar).collect()
}

fn axis(svg: &mut String, scale: &Scale, bottom: f64) {
    for power in scale.low as i32..=scale.high as i32 {
        let (x, class) = (scale.at(10f64.powi(power)), if power == 0 { "axis" } else { "grid" });
        let label = if power < 0 {
            format!("1/{}", 10f64.powi(-power))
        } else {
            10f64.powi(power).to_string()
        };
        push(
            svg,
            format_args!(
                "<line class=\"{class}\" x1=\"{x:.1}\" y1=\"{MARGIN}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"/>\n\
             <text class=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">{label} ×</text>\n",
                bottom + 18.0
            ),
        );
    }
}

/// The lines of one step: its name with our value, and a bar for each peer.
fn group(svg: &mut String, results: &Results, row: &Row, scale: &Scale, top: f64) {
    let ours = row.cells[0].median().unwrap_or(0.0);
    let head = format!("{}: {} {}", row.name, results.columns[0], amount(ours, row.unit));
    push(
        svg,
        format_args!(
            "<text class=\"step\" x=\"0\" y=\"{:.1}\">{}</text>\n",
            top + 14.0,
            escaped(&head)
        ),
    );
    for (line, (index, ratio)) in bars(row).into_iter().enumerate() {
        let (y, one, end) = (top + (line as f64 + 1.0) * LINE, scale.at(1.0), scale.at(ratio));
        let class = if ratio < 1.0 { "less" } else { "more" };
        let value = amount(row.cells[index].median().unwrap_or(0.0), row.unit);
        push(
            svg,
            format_args!(
                "<text class=\"end\" x=\"{:.1}\" y=\"{base:.1}\">{}</text>\n\
             <rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>\n\
             <text x=\"{:.1}\" y=\"{base:.1}\">{}</text>\n",
                LEFT - 8.0,
                escaped(&results.columns[index]),
                one.min(end),
                y + 3.0,
                (end - one).abs().max(1.0),
                LINE - 6.0,
                one.max(end) + 6.0,
                escaped(&format!("{value}, {}", times(ratio))),
                base = y + 14.0,
            ),
        );
    }
}

fn push(svg: &mut String, text: std::fmt::Arguments<'_>) {
    svg.write_fmt(text).expect("a string takes all");
}

/// Escapes text for an element.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Unit;

    fn example() -> Results {
        let mut results = Results::new(&["fastest", "git & co", "cp"]);
        for (row, column, value) in [
            ("first <snapshot>", "fastest", 1.0),
            ("first <snapshot>", "git & co", 12.0),
            ("status", "fastest", 2.0),
            ("status", "git & co", 1.0),
            ("alone", "fastest", 1.0),
            ("clone", "fastest", 0.0),
            ("clone", "cp", 1.0),
        ] {
            results.add((row, Unit::Seconds), column, 0, value);
        }
        results
    }

    /// The names of the elements. Panics unless all are closed in order and all text is escaped.
    fn elements(svg: &str) -> Vec<String> {
        let (mut open, mut names) = (Vec::new(), Vec::new());
        for part in svg.split('<').skip(1) {
            let (tag, text) = part.split_once('>').expect("a tag ends");
            assert!(!text.contains('>'), "{text}");
            let ampersands = text.matches('&').count();
            let known = ["&amp;", "&lt;", "&gt;"].iter().map(|sign| text.matches(sign).count());
            assert_eq!(ampersands, known.sum::<usize>(), "{text}");
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop().as_deref(), Some(name));
                continue;
            }
            let name = tag.split([' ', '/']).next().unwrap_or_default().to_owned();
            names.push(name.clone());
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "{open:?}");
        names
    }

    #[test]
    fn the_plot_is_well_formed_and_has_a_bar_for_each_comparison() {
        let svg = svg(&example(), "A & B");
        let names = elements(&svg);
        assert_eq!(names[0], "svg");
        assert_eq!(names.iter().filter(|name| *name == "rect").count(), 2);
        assert!(svg.contains("first &lt;snapshot&gt;: fastest 1.00 s"), "{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn bars_begin_at_one() {
        let svg = svg(&example(), "");
        let scale = Scale { low: -2.0, high: 1.0 };
        let one = scale.at(1.0);
        assert!(svg.contains(&format!("class=\"more\" x=\"{one:.1}\"")), "{svg}");
        let twelfth = scale.at(1.0 / 12.0);
        assert!(svg.contains(&format!("class=\"less\" x=\"{twelfth:.1}\"")), "{svg}");
        assert_eq!((scale.at(0.01), scale.at(10.0)), (LEFT, RIGHT));
    }
}
