//! Slack's incoming webhooks, and those of Mattermost and Rocket.Chat, which accept the same:
//! `{"text": …}` in Slack's markup (<https://docs.slack.dev/messaging/formatting-message-text>).

use serde_json::{Value, json};

use crate::message::{AlertMessage, table};

/// The longest text. Slack cuts at 40,000 characters; people stop reading long before.
const LONGEST: usize = 12_000;

/// What is posted.
pub(super) fn body(alert: &AlertMessage) -> Value {
    json!({
        "text": text(alert),
        // Slack must not fetch the names of hosts and files.
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

/// Text in which nothing is markup: no link, no mention of everybody.
fn plain(text: &str) -> String {
    let mut escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    for everybody in ["@here", "@channel", "@everyone", "@all", "@group"] {
        escaped = escaped.replace(everybody, &everybody.replace('@', "(at)"));
    }
    escaped
}

/// Text within a block of code, which a backtick would end.
fn code(text: &str) -> String {
    plain(text).replace('`', "'")
}

fn text(alert: &AlertMessage) -> String {
    let mut lines = vec![plain(&alert.first_line())];
    if let Some(content) = alert.content() {
        lines.push(format!("*What it means:* {}", plain(&content.meaning)));
        if !content.to_do.is_empty() {
            lines.push("*What to do:*".to_owned());
            for (number, line) in (1..).zip(&content.to_do) {
                lines.push(format!("{number}. {}", plain(line)));
            }
        }
        if !content.checks.is_empty() {
            let table: Vec<String> = table(&content.checks).iter().map(|row| code(row)).collect();
            lines.push(format!("```\n{}\n```", table.join("\n")));
        }
    }
    for (name, value) in alert.facts() {
        lines.push(match name {
            "Run again with" | "Acknowledge with" => format!("*{name}:* `{}`", code(&value)),
            _ => format!("*{name}:* {}", plain(&value)),
        });
    }
    let text = lines.join("\n");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_neither_links_nor_calls_everybody() {
        assert_eq!(
            plain("<!channel> <https://evil|click> @here & more"),
            "&lt;!channel&gt; &lt;https://evil|click&gt; (at)here &amp; more"
        );
        assert_eq!(code("a```b"), "a'''b");
    }
}
