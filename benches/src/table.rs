//! Tables in Markdown, with aligned columns, so that they can also be read as plain text.

use crate::results::{Results, Row, Unit};

/// Formats the results as tables: medians; ratios of the first column, Fastest, to each of the
/// others; peak memory.
pub fn tables(results: &Results) -> String {
    let median = |row: &Row, index: usize| Some(amount(row.cells[index].median()?, row.unit));
    let mut parts = vec![("Medians".to_owned(), table(results, median))];
    let others = results.columns.len() > 1;
    if others {
        let ratio = |row: &Row, index: usize| Some(times(row.ratio(index)?));
        let title = format!("{} divided by each (below 1 it needs less)", results.columns[0]);
        parts.push((title, table(results, ratio)));
    }
    let memory = |row: &Row, index: usize| {
        row.cells[index].peak_memory.map(|bytes| amount(bytes as f64, Unit::Bytes))
    };
    parts.push(("Peak memory of the largest process".to_owned(), table(results, memory)));
    let text = |(title, table): (String, Option<String>)| Some(format!("{title}:\n\n{}\n", table?));
    parts.into_iter().filter_map(text).collect()
}

/// Returns a table of the rows and columns that have values; `None` if there are none.
fn table(results: &Results, show: impl Fn(&Row, usize) -> Option<String>) -> Option<String> {
    let columns: Vec<_> = (0..results.columns.len())
        .filter(|&index| results.rows.iter().any(|row| show(row, index).is_some()))
        .collect();
    let head = std::iter::once(String::new());
    let head = head.chain(columns.iter().map(|&index| results.columns[index].clone())).collect();
    let cells = |row: &Row| -> Option<Vec<String>> {
        let shown: Vec<_> = columns.iter().map(|&index| show(row, index)).collect();
        shown.iter().any(Option::is_some).then(|| {
            let name = std::iter::once(row.name.clone());
            name.chain(shown.into_iter().map(Option::unwrap_or_default)).collect()
        })
    };
    let body: Vec<_> = results.rows.iter().filter_map(cells).collect();
    (!body.is_empty()).then(|| markdown(head, body))
}

/// Formats a Markdown table, with the first column aligned left and the others right.
fn markdown(head: Vec<String>, body: Vec<Vec<String>>) -> String {
    let columns = head.len();
    let all: Vec<_> = std::iter::once(head).chain(body).collect();
    let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or(0).max(3)).collect();
    let line = |row: &Vec<String>| {
        let cell = |(index, text): (usize, &String)| match index {
            0 => format!("| {text:<0$} ", widths[index]),
            _ => format!("| {text:>0$} ", widths[index]),
        };
        row.iter().enumerate().map(cell).collect::<String>() + "|\n"
    };
    let rule = |(index, width): (usize, &usize)| match index {
        0 => format!("|{}", "-".repeat(width + 2)),
        _ => format!("|{}:", "-".repeat(width + 1)),
    };
    let rule = widths.iter().enumerate().map(rule).collect::<String>() + "|\n";
    all.iter().take(1).map(line).chain([rule]).chain(all.iter().skip(1).map(line)).collect()
}

/// Formats an amount with its unit and three digits: `1.44 s`, `41.3 ms`, `274 MB`; a count in
/// full.
pub fn amount(value: f64, unit: Unit) -> String {
    if value < 0.0 {
        return format!("-{}", amount(-value, unit));
    }
    let (scales, step): (&[&str], f64) = match unit {
        Unit::Seconds => (&["µs", "ms", "s"], 1000.0),
        Unit::Bytes => (&["B", "KB", "MB", "GB", "TB"], 1000.0),
        Unit::Count => return thousands(value),
        Unit::Share => return format!("{} %", three_digits(value * 100.0)),
    };
    let mut value = if unit == Unit::Seconds { value * 1e6 } else { value };
    let mut scale = 0;
    // A value that would be shown as 1000 of one unit is 1.00 of the next.
    while value >= step - 0.5 && scale + 1 < scales.len() {
        value /= step;
        scale += 1;
    }
    let whole = unit == Unit::Bytes && scale == 0;
    format!("{} {}", if whole { format!("{value:.0}") } else { three_digits(value) }, scales[scale])
}

/// Formats a ratio: `0.157 ×`.
pub fn times(value: f64) -> String {
    format!("{} ×", three_digits(value))
}

/// Formats a number with three significant digits, and with no decimals from 100 on.
fn three_digits(value: f64) -> String {
    // Rounded first, so that 9.996 counts as a number of two digits before the point.
    let rounded = format!("{value:.2e}");
    let exponent = rounded.split_once('e').and_then(|(_, power)| power.parse().ok());
    let decimals = (2 - exponent.unwrap_or(0i32)).max(0) as usize;
    format!("{value:.decimals$}")
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_unit_that_suits_them() {
        let seconds =
            [0.000_041, 0.0413, 0.9999, 1.444, 34.49, 215.0].map(|s| amount(s, Unit::Seconds));
        assert_eq!(seconds, ["41.0 µs", "41.3 ms", "1.00 s", "1.44 s", "34.5 s", "215 s"]);
        let bytes = [0.0, 999.0, 4096.0, 273.6e6, 999.9e6].map(|bytes| amount(bytes, Unit::Bytes));
        assert_eq!(bytes, ["0 B", "999 B", "4.10 KB", "274 MB", "1.00 GB"]);
        let counts = [4.0, 52_073.0, 100_000.0].map(|count| amount(count, Unit::Count));
        assert_eq!(counts, ["4", "52,073", "100,000"]);
        assert_eq!(amount(0.0123, Unit::Share), "1.23 %");
        assert_eq!(amount(-273.6e6, Unit::Bytes), "-274 MB");
        let ratios = [0.0, 0.004_347, 0.113, 0.9996, 1.333, 9.996, 99.96, 215.4].map(times);
        let expected = ["0.00", "0.00435", "0.113", "1.00", "1.33", "10.0", "100", "215"];
        assert_eq!(ratios, expected.map(|number| format!("{number} ×")));
    }

    #[test]
    fn tables_leave_out_what_was_not_measured() {
        let mut results = Results::new(&["fastest", "git", "cp"]);
        for (row, column, value) in [
            ("snapshot", "fastest", 2.0),
            ("snapshot", "git", 12.7),
            ("clone", "fastest", 0.5),
            ("clone", "git", 0.25),
            ("find", "git", 1.0),
        ] {
            results.add((row, Unit::Seconds), column, 0, value);
        }
        results.add_memory(("clone", Unit::Seconds), "git", Some(411_000_000));
        let expected = "\
Medians:

|          | fastest |    git |
|----------|--------:|-------:|
| snapshot |  2.00 s | 12.7 s |
| clone    |  500 ms | 250 ms |
| find     |         | 1.00 s |

fastest divided by each (below 1 it needs less):

|          |     git |
|----------|--------:|
| snapshot | 0.157 × |
| clone    |  2.00 × |

Peak memory of the largest process:

|       |    git |
|-------|-------:|
| clone | 411 MB |

";
        assert_eq!(tables(&results), expected);
    }
}
