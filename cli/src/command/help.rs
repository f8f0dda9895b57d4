//! The list of commands in groups, as `echeck --help` shows it.

use std::fmt::Write as _;

use clap::Command;

use crate::output::wrap;

/// Each group with its commands, in the order in which a person meets them.
const GROUPS: [(&str, &[&str]); 7] = [
    ("Try it", &["demo", "up", "sample"]),
    (
        "Files and payments",
        &[
            "import", "imports", "report", "returns", "transfer", "follow", "parse", "codes",
        ],
    ),
    (
        "What waits for a person",
        &["holds", "dishonorable", "proposals", "release"],
    ),
    (
        "The daily job",
        &[
            "watch",
            "run",
            "runs",
            "sources",
            "incidents",
            "explain",
            "diagnose",
        ],
    ),
    ("Platforms", &["webhooks"]),
    (
        "The service",
        &[
            "status",
            "journal",
            "audit",
            "log",
            "adapter",
            "adapter-test",
        ],
    ),
    (
        "This command",
        &["profile", "token", "completions", "man", "help"],
    ),
];

/// Columns of a usage line. clap wraps everything else by itself.
const WIDTH: usize = 80;

/// What stands before the usage.
const USAGE: &str = "Usage: ";

/// The command line with its commands in groups.
pub(super) fn grouped(command: Command) -> Command {
    let template = template(&command);
    with_short_usage(command.help_template(template), "")
}

/// Breaks the usage lines that are too long, of this command and of all below it.
fn with_short_usage(command: Command, above: &str) -> Command {
    let path = format!("{above}{}", command.get_name());
    let below = format!("{path} ");
    let command = command.mut_subcommands(|one| with_short_usage(one, &below));
    let usage = command.clone().bin_name(&path).render_usage().to_string();
    let usage = usage.trim_start_matches(USAGE);
    if usage.contains('\n') || USAGE.len() + usage.len() <= WIDTH {
        return command;
    }
    let lines = wrap(usage, WIDTH - USAGE.len());
    command.override_usage(lines.join(&format!("\n{:1$}", "", USAGE.len())))
}

fn template(command: &Command) -> String {
    let style = command.get_styles();
    let (header, literal) = (style.get_header(), style.get_literal());
    let about = |name: &str| {
        let found = command.find_subcommand(name);
        let about = found.and_then(|one| one.get_about().map(ToString::to_string));
        about.unwrap_or_else(|| "Print this list, or the help of a command".to_owned())
    };
    let names = GROUPS.iter().flat_map(|(_, names)| *names);
    let width = names.map(|name| name.len()).max().unwrap_or(0);
    let mut text = String::from("{about}\n\n{usage-heading} {usage}\n");
    for (group, names) in GROUPS {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n{header}{group}:{header:#}");
        for name in names {
            let _ = writeln!(
                text,
                "  {literal}{name:<width$}{literal:#}  {}",
                about(name)
            );
        }
    }
    text.push_str("\n{options}\n\n`echeck COMMAND --help` has examples and exit codes.\n");
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_command_is_in_exactly_one_group() {
        let command = crate::command::command_line();
        let all: BTreeSet<&str> = command.get_subcommands().map(Command::get_name).collect();
        let grouped: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        let once: BTreeSet<&str> = grouped
            .iter()
            .copied()
            .filter(|name| *name != "help")
            .collect();
        assert_eq!(once, all);
        assert_eq!(grouped.len(), all.len() + 1, "a command is in two groups");
    }

    #[test]
    fn the_help_of_every_command_fits_eighty_columns() {
        fn check(command: &mut Command) {
            let help = command.render_long_help().to_string();
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
            }
            command.get_subcommands_mut().for_each(check);
        }
        let mut command = crate::command::command_line().term_width(80);
        command.build();
        check(&mut command);
    }

    #[test]
    fn commands_are_listed_in_groups() {
        let help = crate::command::command_line().render_help().to_string();
        assert!(help.contains("What waits for a person:\n  holds"), "{help}");
    }

    #[test]
    fn one_thing_has_one_name_in_every_command() {
        fn flags(command: &Command, all: &mut BTreeSet<String>) {
            let longs = command.get_arguments().filter_map(clap::Arg::get_long);
            all.extend(longs.map(str::to_owned));
            command.get_subcommands().for_each(|one| flags(one, all));
        }
        let mut all = BTreeSet::new();
        flags(&crate::command::command_line(), &mut all);
        for other_name in [
            "note", "why", "comment", "start", "end", "from", "to", "max", "count",
        ] {
            assert!(!all.contains(other_name), "--{other_name}");
        }
        crate::command::command_line().debug_assert();
    }
}
