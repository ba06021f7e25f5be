//! Rows as a table of letters, for people. A letter may be two columns wide, or none.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

use crate::escaped::Escaped;

/// How a table is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GridStyle {
    /// In ASCII.
    Plain,
    /// With lines.
    Box,
    /// As Markdown has tables.
    Markdown,
}

/// A table: the names of its columns, whether each has numbers, and its cells.
pub(crate) struct Grid {
    style: GridStyle,
    names: Vec<String>,
    are_numbers: Vec<bool>,
    rows: Vec<Vec<String>>,
}

/// The letters that a row of lines is drawn with.
struct Ruler {
    left: &'static str,
    line: &'static str,
    cross: &'static str,
    right: &'static str,
}

const PLAIN: Ruler = Ruler { left: "+", line: "-", cross: "+", right: "+" };
const TOP: Ruler = Ruler { left: "┌", line: "─", cross: "┬", right: "┐" };
const MIDDLE: Ruler = Ruler { left: "├", line: "─", cross: "┼", right: "┤" };
const BOTTOM: Ruler = Ruler { left: "└", line: "─", cross: "┴", right: "┘" };

impl Grid {
    /// A table with columns of these names, of which some have numbers.
    pub(crate) fn new(style: GridStyle, columns: impl Iterator<Item = (String, bool)>) -> Self {
        let (names, are_numbers) = columns.map(|(name, is_number)| (shown(style, &name), is_number)).unzip();
        Self { style, names, are_numbers, rows: Vec::new() }
    }

    /// Adds a row, which has a cell for each column.
    pub(crate) fn add(&mut self, cells: impl Iterator<Item = String>) {
        let style = self.style;
        self.rows.push(cells.map(|cell| shown(style, &cell)).collect());
    }

    /// The table, with the end of its last line.
    pub(crate) fn text(&self) -> String {
        let widths = self.widths();
        let [top, middle, bottom] = match self.style {
            GridStyle::Plain => [Some(&PLAIN); 3],
            GridStyle::Box => [Some(&TOP), Some(&MIDDLE), Some(&BOTTOM)],
            GridStyle::Markdown => [None; 3],
        };
        let mut text = String::new();
        rule(top, &widths, &mut text);
        self.row(&self.names, &widths, &mut text);
        rule(middle, &widths, &mut text);
        if self.style == GridStyle::Markdown {
            text.push_str(&self.markdown_rule(&widths));
        }
        for row in &self.rows {
            self.row(row, &widths, &mut text);
        }
        rule(bottom, &widths, &mut text);
        text
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self.names.iter().map(|name| width(name)).collect();
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = width(cell).max(*widest);
            }
        }
        // Three of a line are the least that Markdown takes.
        let least = if self.style == GridStyle::Markdown { 3 } else { 0 };
        widths.iter().map(|width| (*width).max(least)).collect()
    }

    /// A row, which has as many lines as its highest cell.
    fn row(&self, cells: &[String], widths: &[usize], text: &mut String) {
        let bar = if self.style == GridStyle::Box { "│" } else { "|" };
        let height = cells.iter().map(|cell| cell.split('\n').count()).max().unwrap_or(1);
        for line in 0..height {
            text.push_str(bar);
            for ((cell, width), is_number) in cells.iter().zip(widths).zip(&self.are_numbers) {
                let part = cell.split('\n').nth(line).unwrap_or_default();
                let blanks = " ".repeat(width.saturating_sub(part.width()));
                let to_the_right = *is_number && self.style != GridStyle::Plain;
                let (before, after) = if to_the_right { (blanks.as_str(), "") } else { ("", blanks.as_str()) };
                text.extend([" ", before, part, after, " ", bar]);
            }
            text.push('\n');
        }
    }

    fn markdown_rule(&self, widths: &[usize]) -> String {
        let parts = widths.iter().zip(&self.are_numbers).map(|(width, is_number)| {
            let end = if *is_number { ":" } else { "-" };
            format!(" {}{end} |", "-".repeat(width.saturating_sub(1)))
        });
        format!("|{}\n", parts.collect::<String>())
    }
}

fn rule(ruler: Option<&Ruler>, widths: &[usize], text: &mut String) {
    let Some(Ruler { left, line, cross, right }) = ruler else { return };
    let parts: Vec<String> = widths.iter().map(|width| line.repeat(width.saturating_add(2))).collect();
    text.extend([*left, &parts.join(cross), right, "\n"]);
}

/// The columns that the widest line of a cell takes.
fn width(cell: &str) -> usize {
    cell.split('\n').map(UnicodeWidthStr::width).max().unwrap_or(0)
}

/// A cell as it is shown: what acts on a terminal instead of being seen is escaped, apart from the ends of lines.
fn shown(style: GridStyle, cell: &str) -> String {
    let lines: Vec<Cow<'_, str>> = cell.split('\n').map(|line| Escaped(line).to_string().into()).collect();
    if style == GridStyle::Markdown { lines.join("<br>").replace('|', "\\|") } else { lines.join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(style: GridStyle) -> String {
        let columns = [("n", true), ("word", false)].into_iter();
        let mut grid = Grid::new(style, columns.map(|(name, is_number)| (name.to_owned(), is_number)));
        for (n, word) in [("7", "a|b"), ("100", "\u{65e5}\u{672c}"), ("NULL", "two\nlines\u{1b}[31m")] {
            grid.add([n.to_owned(), word.to_owned()].into_iter());
        }
        grid.text()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let plain = "\
+------+-----------------+
| n    | word            |
+------+-----------------+
| 7    | a|b             |
| 100  | \u{65e5}\u{672c}            |
| NULL | two             |
|      | lines\\u{1b}[31m |
+------+-----------------+
";
        assert_eq!(grid(GridStyle::Plain), plain);
    }

    #[test]
    fn numbers_stand_to_the_right_between_lines() {
        let boxed = "\
┌──────┬─────────────────┐
│    n │ word            │
├──────┼─────────────────┤
│    7 │ a|b             │
│  100 │ \u{65e5}\u{672c}            │
│ NULL │ two             │
│      │ lines\\u{1b}[31m │
└──────┴─────────────────┘
";
        assert_eq!(grid(GridStyle::Box), boxed);
    }

    #[test]
    fn markdown_has_a_row_on_a_line() {
        let markdown = "\
|    n | word                   |
| ---: | ---------------------- |
|    7 | a\\|b                   |
|  100 | \u{65e5}\u{672c}                   |
| NULL | two<br>lines\\u{1b}[31m |
";
        assert_eq!(grid(GridStyle::Markdown), markdown);
    }

    #[test]
    fn a_table_without_rows_has_its_names() {
        let empty = |style| Grid::new(style, [("a".to_owned(), false)].into_iter()).text();
        assert_eq!(empty(GridStyle::Plain), "+---+\n| a |\n+---+\n+---+\n");
        assert_eq!(empty(GridStyle::Box), "┌───┐\n│ a │\n├───┤\n└───┘\n");
        assert_eq!(empty(GridStyle::Markdown), "| a   |\n| --- |\n");
    }
}
