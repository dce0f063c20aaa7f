//! Tables: a line under the head and nothing else, as wide as the terminal.

use std::io::{self, Write};

use comfy_table::{Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle, TableStyle};

use super::safe::clean;
use super::screen::{Screen, Style};

/// Columns of a terminal when it does not tell.
const WIDTH: u16 = 80;
/// Terminals narrower than this have every column broken into lines.
const NARROW: u16 = 76;

/// A table that is being filled.
pub(crate) struct Table {
    inner: comfy_table::Table,
    colour: bool,
}

impl Table {
    /// A table with these columns. A name that begins with `>` has its column at the right, for numbers; that and `=`
    /// keep a column from being broken into lines, for times and words of ours.
    pub(crate) fn new(screen: &Screen, columns: &[&str]) -> Table {
        let mut inner = comfy_table::Table::new();
        inner.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
        if screen.terminal {
            inner.set_content_arrangement(ContentArrangement::Dynamic);
            // Asked before colours are turned off: without them the library no longer looks at the terminal.
            let width = inner.width().unwrap_or(WIDTH);
            inner.set_width(width);
        }
        // What is kept whole must leave room for the rest.
        let narrow = inner.width().is_some_and(|width| width < NARROW);
        if screen.colour {
            inner.enforce_styling();
        } else {
            inner.force_no_tty();
        }
        let mut table = Table { inner, colour: screen.colour };
        let names = columns.iter().map(|name| name.trim_start_matches(['>', '=']));
        table.inner.set_header(names.map(|name| table.cell(name, Style::Dim)).collect::<Vec<_>>());
        for (at, name) in columns.iter().enumerate() {
            if let Some(column) = table.inner.column_mut(at) {
                column.set_padding((0, 1));
                if name.starts_with(['>', '=']) && !narrow {
                    column.set_constraint(ColumnConstraint::ContentWidth);
                }
                if name.starts_with('>') {
                    column.set_cell_alignment(CellAlignment::Right);
                }
            }
        }
        table
    }

    /// Adds a row; every text is cleaned.
    pub(crate) fn row<const N: usize>(&mut self, cells: [(Style, String); N]) {
        let cells: Vec<Cell> = cells.iter().map(|(style, text)| self.cell(text, *style)).collect();
        self.inner.add_row(cells);
    }

    /// Writes the table.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for line in self.inner.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn cell(&self, text: &str, style: Style) -> Cell {
        let cell = Cell::new(clean(text));
        if !self.colour {
            return cell;
        }
        match style {
            Style::Plain => cell,
            Style::Strong => cell.add_attribute(Attribute::Bold),
            Style::Dim => cell.add_attribute(Attribute::Dim),
            Style::Alarm => cell.fg(Color::Red),
            Style::Remark => cell.fg(Color::Yellow),
        }
    }
}
