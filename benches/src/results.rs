//! The values of a run, and the figures computed from them.

use serde_json::{Value, json};

/// The unit of a row's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Wall-clock seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// A count.
    Count,
    /// A fraction of a whole.
    Share,
}

/// All values of one row for one column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cell {
    /// The values of each run, in the order in which they were measured.
    pub runs: Vec<Vec<f64>>,
    /// The peak memory of any single process in any run, in bytes.
    pub peak_memory: Option<u64>,
}

/// A timed step, or a figure such as the bytes stored.
#[derive(Debug, Clone)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// The unit.
    pub unit: Unit,
    /// One cell for each column.
    pub cells: Vec<Cell>,
}

/// All measurements: rows are steps, columns are peers. Both are in the order in which they were
/// added.
#[derive(Debug, Clone, Default)]
pub struct Results {
    /// The peers.
    pub columns: Vec<String>,
    /// The steps.
    pub rows: Vec<Row>,
}

impl Cell {
    /// The median of all values of all runs; `None` if there is no value.
    pub fn median(&self) -> Option<f64> {
        median(&self.runs.concat())
    }
}

impl Row {
    /// The first column's median divided by this column's: below 1 if the first needs less. `None`
    /// for the first column itself, and if one of the two has no value or this one is zero.
    pub fn ratio(&self, index: usize) -> Option<f64> {
        let first = self.cells.first().and_then(Cell::median)?;
        let other = self.cells.get(index)?.median().filter(|other| *other > 0.0)?;
        (index > 0).then(|| first / other)
    }
}

impl Results {
    /// Creates results with these columns and no rows.
    pub fn new(columns: &[&str]) -> Self {
        Self { columns: columns.iter().map(|&name| name.to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a value that was measured in run `run`, counted from 0.
    ///
    /// # Panics
    ///
    /// If there is no such column.
    pub fn add(&mut self, row: (&str, Unit), column: &str, run: usize, value: f64) {
        let runs = &mut self.cell(row, column).runs;
        runs.resize(runs.len().max(run + 1), Vec::new());
        runs[run].push(value);
    }

    /// Adds a measurement of memory. The largest is kept.
    ///
    /// # Panics
    ///
    /// If there is no such column.
    pub fn add_memory(&mut self, row: (&str, Unit), column: &str, bytes: Option<u64>) {
        let cell = self.cell(row, column);
        cell.peak_memory = cell.peak_memory.max(bytes);
    }

    fn cell(&mut self, (name, unit): (&str, Unit), column: &str) -> &mut Cell {
        let columns = self.columns.len();
        let index = self.rows.iter().position(|row| row.name == name).unwrap_or_else(|| {
            let cells = vec![Cell::default(); columns];
            self.rows.push(Row { name: name.to_owned(), unit, cells });
            self.rows.len() - 1
        });
        let column = self.columns.iter().position(|name| name == column);
        &mut self.rows[index].cells[column.expect("columns are named at the start")]
    }

    /// Returns an array of rows: `{name, unit, columns: {peer: {median, runs, peak_memory_bytes,
    /// first_to_this}}}`. `first_to_this` is [`Row::ratio`]. A peer without a value for a row is
    /// left out of that row.
    pub fn json(&self) -> Value {
        let row = |row: &Row| {
            let named = self.columns.iter().enumerate();
            let cells =
                named.filter_map(|(index, name)| Some((name.clone(), cell_json(row, index)?)));
            let unit = match row.unit {
                Unit::Seconds => "seconds",
                Unit::Bytes => "bytes",
                Unit::Count => "count",
                Unit::Share => "share",
            };
            json!({
                "name": row.name,
                "unit": unit,
                "columns": cells.collect::<serde_json::Map<_, _>>(),
            })
        };
        self.rows.iter().map(row).collect()
    }
}

fn cell_json(row: &Row, index: usize) -> Option<Value> {
    let cell = &row.cells[index];
    Some(json!({
        "median": cell.median()?,
        "runs": cell.runs,
        "peak_memory_bytes": cell.peak_memory,
        "first_to_this": row.ratio(index),
    }))
}

/// The middle value, or the mean of the two in the middle; `None` if there are no values.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_of_sorted_numbers() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[10.0, 9.0, 100.0]), Some(10.0));
        assert_eq!(median(&[4.0, 1.0, 100.0, 2.0]), Some(3.0));
    }

    #[test]
    fn values_of_all_runs_are_kept_and_count() {
        let mut results = Results::new(&["ours", "theirs"]);
        let row = ("status", Unit::Seconds);
        for (run, value) in [(0, 3.0), (0, 1.0), (1, 2.0)] {
            results.add(row, "ours", run, value);
        }
        for bytes in [None, Some(5), Some(3), None] {
            results.add_memory(row, "ours", bytes);
        }
        results.add(row, "theirs", 0, 8.0);
        results.add(("stored", Unit::Bytes), "theirs", 0, 7.0);
        let expected = json!([
            { "name": "status", "unit": "seconds", "columns": {
                "ours": { "median": 2.0, "runs": [[3.0, 1.0], [2.0]], "peak_memory_bytes": 5,
                    "first_to_this": null },
                "theirs": { "median": 8.0, "runs": [[8.0]], "peak_memory_bytes": null,
                    "first_to_this": 0.25 } } },
            { "name": "stored", "unit": "bytes", "columns": { "theirs":
                { "median": 7.0, "runs": [[7.0]], "peak_memory_bytes": null,
                    "first_to_this": null } } },
        ]);
        assert_eq!(results.json(), expected);
    }
}
