//! A view on a terminal that is replaced in place.

use std::io::{self, Write as _};

use super::{Screen, out, text};

/// To the first column of the first row.
const HOME: &str = "\x1b[H";

/// Clears the screen.
const CLEAR: &str = "\x1b[2J";

/// Clears what is right of the cursor.
const CLEAR_LINE: &str = "\x1b[K";

/// Clears what is below the cursor.
const CLEAR_BELOW: &str = "\x1b[J";

/// A view that was drawn, and is drawn again over itself.
pub(crate) struct Live {
    screen: Screen,
    is_drawn: bool,
}

impl Live {
    /// Nothing is drawn yet.
    pub(crate) const fn new(screen: Screen) -> Self {
        Self {
            screen,
            is_drawn: false,
        }
    }

    /// Draws the lines in place of the earlier ones. What does not fit the terminal is left out.
    pub(crate) fn draw(&mut self, lines: &[String]) -> io::Result<()> {
        // The last row stays for the cursor.
        let rows = Screen::height_of_stdout().unwrap_or(24).saturating_sub(1);
        let wrapped = lines.join("\n");
        let wrapped = text::for_people(&wrapped, self.screen);
        let mut view = String::new();
        if !self.is_drawn {
            view.push_str(CLEAR);
        }
        view.push_str(HOME);
        for line in wrapped.lines().take(rows) {
            view.push_str(line);
            view.push_str(CLEAR_LINE);
            view.push('\n');
        }
        view.push_str(CLEAR_BELOW);
        self.is_drawn = true;
        let mut out = out();
        out.write_all(view.as_bytes())?;
        out.flush()
    }
}
