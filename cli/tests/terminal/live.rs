//! Commands that go on until somebody ends them.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use echeck::stack::{DEFAULT_SOURCES, Ports, Stack, StackOptions};

use super::support::{World, command, on_terminal_until, shown_lines, text};

/// A command that runs, with what it prints.
struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Running {
    fn start(mut command: Command, server: &str) -> Self {
        let mut child = command
            .env("ECHECK_SERVER", server)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// Reads until a line has a text. A test that waits without success is ended by its runner.
    fn until(&mut self, part: &str) -> String {
        loop {
            let mut line = String::new();
            let length = self.lines.read_line(&mut line).unwrap();
            assert!(length > 0, "it ended before it said {part:?}");
            if line.contains(part) {
                return line;
            }
        }
    }

    /// Presses Ctrl-C; gives the exit code and what it said on standard error.
    fn interrupt(self) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert!(sent.success());
        let ended = self.child.wait_with_output().unwrap();
        (ended.status.code(), text(&ended.stderr))
    }
}

fn echeck(world: &World, arguments: &[&str]) -> Running {
    let mut command = command(env!("CARGO_BIN_EXE_echeck"), &world.home());
    command.args(arguments);
    Running::start(command, world.server())
}

#[tokio::test(flavor = "multi_thread")]
async fn follow_prints_each_return_once_and_says_where_to_continue() {
    let world = World::start().await;
    let mut following = echeck(&world, &["follow"]);
    following.until("TRANSFER");
    world.sample("a.ach", &["nacha", "--entries", "3"]);
    let imported = world.run(&["import", "a.ach", "--source", "nacha"]).await;
    assert!(imported.status.success(), "{imported:?}");
    let returns = world.json(&["returns"]).await;
    for one in returns.iter().rev() {
        let line = following.until(one["transfer_id"].as_str().unwrap());
        assert!(line.contains('$') && line.contains("R0"), "{line}");
    }
    let (code, said) = following.interrupt();
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("continue with: echeck follow --after "),
        "{said}"
    );
    let limited = world
        .json(&["follow", "--after", "0", "--limit", "2"])
        .await;
    assert_eq!(limited.len(), 2);
    assert_eq!(limited[0]["position"], 1, "{limited:?}");
    let beyond = world.run(&["follow", "--after", "999999"]).await;
    assert_eq!(beyond.status.code(), Some(1), "{beyond:?}");
    assert!(text(&beyond.stderr).contains("BEYOND_HEAD"), "{beyond:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn follow_continues_by_itself_after_a_lost_connection() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_owned();
    let data = home.join("world");
    let sample = |arguments: &[&str]| {
        let mut command = command(env!("CARGO_BIN_EXE_echeck"), &home);
        let done = command.arg("sample").args(arguments).status().unwrap();
        assert!(done.success());
    };
    sample(&["world", "--payments", "100", "--out", "world"]);
    let mut options = StackOptions::new(&data, Ports::ANY);
    options.returns = DEFAULT_SOURCES.to_owned();
    let stack = Stack::start(&options).await.unwrap();
    let server = stack.returns.to_string();
    let import = async |name: &'static str, skip: &'static str| {
        sample(&[
            "nacha",
            "--payments",
            "100",
            "--entries",
            "2",
            "--skip",
            skip,
            "--out",
            name,
        ]);
        let mut import = command(env!("CARGO_BIN_EXE_echeck"), &home);
        import.args(["import", name, "--source", "nacha", "--server", &server]);
        let done = tokio::task::spawn_blocking(move || import.output().unwrap());
        let done = done.await.unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    let mut follow = command(env!("CARGO_BIN_EXE_echeck"), &home);
    follow.args(["follow", "--after", "0"]);
    let mut following = Running::start(follow, &server);
    import("a.ach", "0").await;
    following.until("TR");
    following.until("TR");
    options.ports.returns = stack.returns.port();
    stack.stop().await.unwrap();
    let stack = Stack::start(&options).await.unwrap();
    import("b.ach", "2").await;
    following.until("TR");
    following.until("TR");
    let (code, said) = following.interrupt();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said.matches("connection lost").count(), 1, "{said}");
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn watch_prints_a_line_for_each_change_in_a_pipe() {
    let world = World::start().await;
    let mut watching = echeck(&world, &["watch", "--every-s", "1"]);
    watching.until("0 open holds");
    watching.until("rallypay has everything");
    let unknown = ["nacha", "--entries", "3", "--unknown", "1000"];
    world.sample("a.ach", &unknown);
    world.run(&["import", "a.ach", "--source", "nacha"]).await;
    let line = watching.until("3 open holds");
    assert!(line.contains("Z  3 open holds"), "{line}");
    assert_eq!(watching.interrupt(), (Some(0), String::new()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn watch_refreshes_in_place_on_a_terminal_and_ends_on_ctrl_c() {
    let world = World::start().await;
    let watch = ["watch", "--every-s", "1"];
    let command = on_terminal_until("journal at", 80, &watch, &world.home());
    let ended = world.output(command).await;
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let shown = text(&ended.stdout);
    assert_eq!(
        shown.matches("\u{1b}[2J").count(),
        1,
        "cleared once: {shown:?}"
    );
    assert!(
        shown.matches("\u{1b}[H").count() >= 2,
        "drawn in place: {shown:?}"
    );
    let lines = shown_lines(&shown);
    for part in [
        "DATABASE",
        "gateway",
        "SOURCE",
        "drop",
        "No open incidents.",
    ] {
        assert!(
            lines.iter().any(|line| line.contains(part)),
            "{part}: {lines:#?}"
        );
    }
    assert!(
        lines.iter().all(|line| line.chars().count() <= 80),
        "{lines:#?}"
    );
    world.stop().await;
}
