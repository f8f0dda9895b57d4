//! Colors on terminals that want them, and nowhere else.

use super::support::{HOSTILE_DROP, World, echeck, on_terminal, shown_lines, text};

#[tokio::test(flavor = "multi_thread")]
async fn states_have_colors_on_a_terminal_unless_somebody_does_not_want_them() {
    let world = World::with_imports().await;
    let imports = ["imports"];
    let with = async |variables: &[(&str, &str)]| {
        let mut command = on_terminal(100, &imports, &world.home());
        command.envs(variables.iter().copied());
        text(&world.output(command).await.stdout)
    };
    let green = "\u{1b}[32mapplied";
    assert!(with(&[]).await.contains(green));
    for plain in [
        &[("NO_COLOR", "1")][..],
        &[("TERM", "dumb")],
        &[("TERM", "dumb"), ("CI", "true")],
        &[("CLICOLOR", "0")],
    ] {
        let shown = with(plain).await;
        assert!(!shown.contains('\u{1b}'), "{plain:?}: {shown:?}");
        assert!(shown.contains("applied"), "{plain:?}: {shown}");
    }
    let piped = world.run(&imports).await;
    assert!(!text(&piped.stdout).contains('\u{1b}'), "{piped:?}");
    let mut forced = super::support::command(env!("CARGO_BIN_EXE_echeck"), &world.home());
    forced.args(imports).env("CLICOLOR_FORCE", "1");
    assert!(text(&world.output(forced).await.stdout).contains(green));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_is_a_bar_on_a_terminal_and_plain_lines_in_a_pipe() {
    let world = World::start().await;
    world.sample("a.ach", &["nacha", "--entries", "20"]);
    world.sample("b.ach", &["nacha", "--entries", "20", "--skip", "20"]);
    let shown = world
        .show(80, &["import", "a.ach", "--source", "nacha"])
        .await;
    assert!(
        shown.contains("sending    [") && shown.contains('#'),
        "{shown:?}"
    );
    let piped = world.run(&["import", "b.ach", "--source", "nacha"]).await;
    let said = text(&piped.stderr);
    assert!(
        said.lines().any(|line| line.starts_with("sending: ")),
        "{said}"
    );
    assert!(
        said.lines()
            .any(|line| line.starts_with("applied: 20 of 20 entries")),
        "{said}"
    );
    assert!(!said.contains(['\r', '\u{1b}', '[']), "{said:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_file_name_of_an_acquirer_never_reaches_a_terminal_as_it_is() {
    let world = World::start().await;
    let content = ["worldpay-echeck-return", "--entries", "3"];
    world.sample("r.csv", &content);
    let home = world.home();
    std::fs::rename(home.join("r.csv"), home.join("drop").join(HOSTILE_DROP)).unwrap();
    for arguments in [
        &["run", "drop"][..],
        &["runs"],
        &["imports"],
        &["incidents"],
    ] {
        for columns in [60, 80, 200] {
            let shown = world.show(columns, arguments).await;
            super::support::assert_for_people(&shown, columns, arguments);
        }
        // A pipe may lead to a terminal in the end, as `less` does.
        for piped in [
            world.run(arguments).await,
            world.run(&[arguments, &["--json"]].concat()).await,
        ] {
            let all = text(&piped.stdout) + &text(&piped.stderr);
            assert!(
                !all.contains(['\u{1b}', '\u{9b}', '\u{202e}']),
                "{arguments:?}: {all:?}"
            );
        }
    }
    world.stop().await;
}

#[test]
fn a_pipe_gets_whole_lines_however_narrow_the_terminal_is() {
    let home = tempfile::tempdir().unwrap();
    let piped = text(&echeck(&["codes"], home.path()).stdout);
    let title = "Corrected Return or Dishonored Return";
    assert!(!piped.contains('…'), "{title}: {piped}");
    let mut narrow = on_terminal(40, &["codes"], home.path());
    let narrow = text(&narrow.output().unwrap().stdout);
    assert!(
        shown_lines(&narrow).iter().any(|line| line.ends_with('…')),
        "{narrow}"
    );
}
