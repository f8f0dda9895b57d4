//! Colors that mean something.

use anstyle::{AnsiColor, Style};

use super::Screen;

/// What a text means, which its color shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tone {
    /// Nothing special.
    #[default]
    Plain,
    /// The header of a table, or the first line of an answer.
    Heading,
    /// Everything is as it should be.
    Good,
    /// It is under way, or a person should look.
    Attention,
    /// Something failed.
    Bad,
    /// It matters little.
    Quiet,
}

impl Tone {
    const fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Heading => Style::new().bold(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Attention => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Quiet => Style::new().dimmed(),
        }
    }

    /// The text in its color, where there are colors.
    pub(crate) fn paint(self, text: &str, screen: Screen) -> String {
        if !screen.color || self == Self::Plain || text.is_empty() {
            return text.to_owned();
        }
        let style = self.style();
        format!("{style}{text}{style:#}")
    }

    /// The length of one of our own color sequences at the start of `text`; 0 if there is none.
    /// Only these reach a terminal: a sequence in a file's name is text.
    pub(super) fn sequence_at(text: &str) -> usize {
        const TONES: [Tone; 5] = [
            Tone::Heading,
            Tone::Good,
            Tone::Attention,
            Tone::Bad,
            Tone::Quiet,
        ];
        let reset = format!("{:#}", Style::new().bold());
        let styles = TONES.map(|tone| tone.style().to_string());
        let mut all = styles.into_iter().chain([reset]);
        all.find(|sequence| text.starts_with(sequence.as_str()))
            .map_or(0, |sequence| sequence.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_a_color_only_where_there_are_colors() {
        let colors = Screen {
            color: true,
            ..Screen::PIPE
        };
        assert_eq!(Tone::Bad.paint("failed", Screen::PIPE), "failed");
        let red = Tone::Bad.paint("failed", colors);
        assert_eq!(red, "\x1b[31mfailed\x1b[0m");
        assert_eq!(Tone::Plain.paint("text", colors), "text");
        assert_eq!(Tone::sequence_at(&red), 5);
        assert_eq!(Tone::sequence_at("\x1b[8mhidden"), 0);
    }
}
