//! How much fits into an answer.

use prost::Message;
use serde::Serialize;

use super::page::token;

/// The messages of an answer together, in bytes. A client takes 4 MiB where nobody has told it
/// otherwise.
pub(super) const LONGEST_ANSWER: usize = 3 << 20;

/// The rows of a page as messages, and the token of the next page, which is `end` where all of them
/// fit into an answer. Rows may be long: a page has at least one, and ends where the next is one too
/// many.
pub(super) fn page<T, M: Message, P: Serialize, I: IntoIterator<Item = M>>(
    rows: Vec<T>,
    end: String,
    place: impl Fn(&T) -> P,
    messages: impl Fn(T) -> I,
) -> (Vec<M>, String) {
    let mut room = LONGEST_ANSWER;
    let mut answer = Vec::with_capacity(rows.len());
    let mut last = None;
    for row in rows {
        let here = place(&row);
        let more: Vec<M> = messages(row).into_iter().collect();
        let bytes: usize = more.iter().map(Message::encoded_len).sum();
        room = match (room.checked_sub(bytes), &last) {
            (Some(left), _) => left,
            (None, None) => 0,
            (None, Some(last)) => return (answer, token(last)),
        };
        answer.extend(more);
        last = Some(here);
    }
    (answer, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_the_next_row_would_make_it_too_long_and_has_one_at_least() {
        let row = |position: u64, length: usize| (position, "x".repeat(length));
        let pages = |rows: &[(u64, String)]| {
            let (sent, token) = page(
                rows.to_vec(),
                "end".to_owned(),
                |row| row.0,
                |(_, text)| Some(text),
            );
            (sent.len(), token)
        };
        let third = LONGEST_ANSWER / 3 - 8;
        let rows: Vec<_> = (1..=4).map(|position| row(position, third)).collect();
        assert_eq!(pages(&rows), (3, token(&3)));
        assert_eq!(pages(&rows[3..]), (1, "end".to_owned()));
        let long = [row(1, LONGEST_ANSWER + 1), row(2, 1)];
        assert_eq!(pages(&long), (1, token(&1)));
        assert_eq!(pages(&[]), (0, "end".to_owned()));
    }
}
