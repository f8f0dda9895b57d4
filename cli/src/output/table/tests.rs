use super::super::text::width;
use super::*;

#[derive(Default, Clone)]
struct Row {
    id: &'static str,
    file: &'static str,
    count: u64,
    why: &'static str,
}

fn columns(row: &Row) -> Columns {
    vec![
        field("ID", row.id),
        field("FILE", row.file).text().extra(1),
        field("COUNT", row.count).right(),
        field("WHY", row.why).text().tone(Tone::Bad),
    ]
}

fn rows() -> Vec<Row> {
    let row = |id, file, count, why| Row {
        id,
        file,
        count,
        why,
    };
    vec![
        row(
            "imp_0123456789",
            "längst vergangene Rückgaben 返品.csv",
            1,
            "the amount differs",
        ),
        row(
            "imp_9876543210",
            "evil\x1b[2J.csv",
            1_000_000,
            "no transfer has any of the entry's ids, so the service looks again by itself",
        ),
    ]
}

fn at(width: Option<usize>) -> Vec<String> {
    let screen = Screen {
        width,
        ..Screen::PIPE
    };
    Table::of(&rows(), columns).lines(screen)
}

#[test]
fn in_a_pipe_nothing_is_cut_and_columns_line_up() {
    let lines = at(None);
    assert_eq!(
        lines[0],
        "ID              FILE                                    COUNT  WHY"
    );
    assert!(
        lines[1].contains("返品.csv        1  the amount"),
        "{}",
        lines[1]
    );
    assert!(lines[2].ends_with("looks again by itself"), "{}", lines[2]);
    assert!(lines[2].contains(r"evil\u{1b}[2J.csv"), "{}", lines[2]);
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for most in 20..220 {
        for line in at(Some(most)) {
            assert!(width(&line) <= most, "{most}: {line}");
        }
    }
}

#[test]
fn a_narrow_terminal_gets_shorter_sentences_then_fewer_columns_then_blocks() {
    let wide = at(Some(100));
    assert!(wide[0].contains("FILE"), "{wide:#?}");
    assert!(wide[2].ends_with('…'), "{wide:#?}");
    let usual = at(Some(60));
    assert!(!usual[0].contains("FILE"), "{usual:#?}");
    assert_eq!(usual[3], "Not shown at this width: file.");
    let narrow = at(Some(32));
    assert_eq!(narrow[0], "imp_0123456789", "{narrow:#?}");
    assert!(narrow.contains(&"  count  1".to_owned()), "{narrow:#?}");
}

#[test]
fn a_table_without_rows_still_has_its_headers() {
    let none: [Row; 0] = [];
    let lines = Table::of(&none, columns).lines(Screen::PIPE);
    assert_eq!(lines, ["ID  FILE  COUNT  WHY"]);
}

#[test]
fn states_have_colors_only_where_there_are_colors() {
    let screen = Screen {
        color: true,
        ..Screen::PIPE
    };
    let lines = Table::of(&rows(), columns).lines(screen);
    assert!(
        lines[1].contains("\x1b[31mthe amount differs"),
        "{}",
        lines[1]
    );
    assert!(!at(None)[1].contains('\x1b'));
}
