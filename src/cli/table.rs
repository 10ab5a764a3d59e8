//! Rows for people and for spreadsheets.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use crate::cli::command::Format;

/// Columns with a title each, and rows of as many cells.
#[derive(Debug, Default)]
pub(super) struct Table {
    titles: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(titles: &[&'static str]) -> Self {
        Self { titles: titles.to_vec(), rows: Vec::new() }
    }

    pub(super) fn push(&mut self, row: Vec<String>) {
        debug_assert_eq!(row.len(), self.titles.len(), "a cell a title");
        self.rows.push(row);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Prints in `format`; JSON is a list of objects.
    pub(super) fn print(&self, format: Format, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Table => self.print_table(out),
            Format::Csv => self.print_csv(out),
            Format::Json => self.print_json(out),
        }
    }

    fn print_table(&self, out: &mut dyn Write) -> io::Result<()> {
        let widths: Vec<usize> = (0..self.titles.len())
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
                widest.max(self.titles.get(column).map_or(0, |title| title.len()))
            })
            .collect();
        let titles: Vec<String> = self.titles.iter().map(|title| title.to_uppercase()).collect();
        for row in std::iter::once(&titles).chain(&self.rows) {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                // Writing into a String cannot fail.
                let _ = write!(line, "{cell:<width$}  ");
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn print_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let titles: Vec<String> = self.titles.iter().map(|title| (*title).to_owned()).collect();
        for row in std::iter::once(&titles).chain(&self.rows) {
            let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
            writeln!(out, "{}", cells.join(","))?;
        }
        Ok(())
    }

    fn print_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let objects: Vec<serde_json::Map<String, serde_json::Value>> = self
            .rows
            .iter()
            .map(|row| {
                let cells = self.titles.iter().zip(row);
                cells.map(|(title, cell)| ((*title).to_owned(), cell.as_str().into())).collect()
            })
            .collect();
        serde_json::to_writer(&mut *out, &objects)?;
        writeln!(out)
    }
}

/// As RFC 4180 has it.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_table_three_formats() {
        let mut table = Table::new(&["series", "value"]);
        table.push(vec!["up{job=\"a\"}".into(), "1".into()]);
        table.push(vec!["x".into(), "-0.5".into()]);
        let printed = |format| {
            let mut out = Vec::new();
            table.print(format, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            printed(Format::Table),
            "SERIES       VALUE\nup{job=\"a\"}  1\nx            -0.5\n"
        );
        assert_eq!(printed(Format::Csv), "series,value\n\"up{job=\"\"a\"\"}\",1\nx,-0.5\n");
        assert_eq!(
            printed(Format::Json),
            "[{\"series\":\"up{job=\\\"a\\\"}\",\"value\":\"1\"},{\"series\":\"x\",\"value\":\"-0.5\"}]\n"
        );
    }
}
