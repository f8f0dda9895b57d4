//! A running stack with data in it, and commands that run on a terminal or in a pipe.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use echeck::stack::{DEFAULT_SOURCES, Ports, Stack, StackOptions};
use serde_json::Value;
use tempfile::TempDir;
use unicode_width::UnicodeWidthStr as _;

/// Opens a terminal of a width, runs a command on it, and prints what it shows. When it has shown a
/// text twice, Ctrl-C is pressed. Python is there wherever the tests run.
const ON_TERMINAL: &str = "
import fcntl, os, pty, struct, sys, termios
columns, awaited, command = int(sys.argv[1]), sys.argv[2].encode(), sys.argv[3:]
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 60, columns, 0, 0))
    os.execvp(command[0], command)
shown, pressed = b'', False
while True:
    try:
        piece = os.read(terminal, 65536)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    if awaited and not pressed and shown.count(awaited) > 1:
        os.write(terminal, b'\\x03')
        pressed = True
sys.stdout.buffer.write(shown)
sys.stdout.buffer.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
";

/// A name that would clear the screen, change colors and turn the text around; and that is long.
/// The service refuses control characters, so a file that is uploaded has only the others.
pub(crate) const HOSTILE_UPLOAD: &str =
    "evil\u{202e}gnp näme 返品返品 that goes on and on and on and on and on.csv";

/// The same for a file that an acquirer publishes.
pub(crate) const HOSTILE_DROP: &str = "evil\u{1b}[2J\u{9b}31m\u{202e}返品返品.csv";

/// A command that does not know the profiles of the person who runs the tests.
pub(crate) fn command(program: &str, home: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env("ECHECK_CONFIG_HOME", home)
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("CLICOLOR")
        .env_remove("CI")
        .current_dir(home);
    command
}

/// The command on a terminal with so many columns.
pub(crate) fn on_terminal(columns: usize, arguments: &[&str], home: &Path) -> Command {
    on_terminal_until("", columns, arguments, home)
}

/// The same, with Ctrl-C when it has shown `awaited` twice.
pub(crate) fn on_terminal_until(
    awaited: &str,
    columns: usize,
    arguments: &[&str],
    home: &Path,
) -> Command {
    let mut command = command("python3", home);
    command
        .args(["-c", ON_TERMINAL, &columns.to_string(), awaited])
        .arg(env!("CARGO_BIN_EXE_echeck"))
        .args(arguments);
    command
}

/// Runs a command that needs no service.
pub(crate) fn echeck(arguments: &[&str], home: &Path) -> Output {
    let mut command = command(env!("CARGO_BIN_EXE_echeck"), home);
    command.args(arguments).output().unwrap()
}

/// What a command has printed.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The objects that a command has printed.
pub(crate) fn json(output: &Output) -> Vec<Value> {
    let text = text(&output.stdout);
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The lines that a terminal shows: without colors and cursor movements. A bar that is drawn again
/// is a line each time.
pub(crate) fn shown_lines(raw: &str) -> Vec<String> {
    let mut shown = String::new();
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        shown.push_str(before);
        let end = after.find(|character: char| character.is_ascii_alphabetic());
        rest = end.map_or("", |end| &after[end + 1..]);
    }
    shown.push_str(rest);
    let lines = shown.split(['\n', '\r']).map(str::to_owned);
    lines.filter(|line| !line.is_empty()).collect()
}

/// Whether a text has the name of a constant, such as `HOLD_REASON_OPEN`. The reason of an error
/// stands in brackets, for a person who searches for it; variables and placeholders are no such names.
pub(crate) fn constant_in(line: &str) -> Option<String> {
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let words = line.split(|character: char| !is_name(character) && !"[]<>".contains(character));
    let is_constant = |word: &&str| {
        word.contains('_')
            && word.len() > 3
            && word.starts_with(|first: char| first.is_ascii_uppercase())
            && !word.contains(|character: char| character.is_ascii_lowercase())
            && !word.starts_with("ECHECK_")
    };
    words.into_iter().find(is_constant).map(str::to_owned)
}

/// Checks that what a command has shown is for people, and fits.
pub(crate) fn assert_for_people(raw: &str, columns: usize, what: &[&str]) {
    for harmful in ["\u{1b}[2J", "\u{9b}", "\u{202e}"] {
        assert!(!raw.contains(harmful), "{what:?}: {raw:?}");
    }
    for line in shown_lines(raw) {
        assert!(line.width() <= columns, "{what:?} at {columns}: {line:?}");
        assert_eq!(constant_in(&line), None, "{what:?}: {line}");
        for program in ["Some(", "None,", "{ ", "\\\""] {
            assert!(!line.contains(program), "{what:?}: {line}");
        }
    }
}

/// A stack with imports, returns and holds.
pub(crate) struct World {
    folder: TempDir,
    stack: Option<Stack>,
    url: String,
}

impl World {
    /// Starts a stack whose payments no file is about yet.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let world = path.join("world");
        let sample = ["sample", "world", "--payments", "300", "--out"];
        let done = command(env!("CARGO_BIN_EXE_echeck"), &path)
            .args(sample)
            .arg(&world)
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
        let drop = path.join("drop");
        std::fs::create_dir(&drop).unwrap();
        let mut options = StackOptions::new(&world, Ports::ANY);
        options.returns = format!(
            "{DEFAULT_SOURCES}\n[sources.drop]\nformat = \"worldpay_echeck_return\"\n\
             [sources.drop.folder]\ndirectory = {drop:?}\npattern = \"*.csv\"\nsettle_ms = 10\n"
        );
        let stack = Stack::start(&options).await.unwrap();
        Self {
            url: stack.url(),
            stack: Some(stack),
            folder,
        }
    }

    /// Starts a stack, and imports two files: one with every kind of outcome, and one with a hostile
    /// name.
    pub(crate) async fn with_imports() -> Self {
        let world = Self::start().await;
        let strange = [
            "--strange",
            "100",
            "--unknown",
            "100",
            "--corrections",
            "100",
        ];
        world.sample(
            "returns.ach",
            &[&["nacha", "--entries", "60"], &strange[..]].concat(),
        );
        let more = ["worldpay-echeck-return", "--entries", "10", "--skip", "60"];
        world.sample(HOSTILE_UPLOAD, &more);
        let imported = world
            .run(&["import", "returns.ach", "--source", "nacha"])
            .await;
        assert_eq!(imported.status.code(), Some(2), "{imported:?}");
        let source = ["--source", "worldpay_returns"];
        let imported = world
            .run(&[&["import", HOSTILE_UPLOAD], &source[..]].concat())
            .await;
        assert_eq!(imported.status.code(), Some(0), "{imported:?}");
        world
    }

    /// Where the commands run.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// The address of the returns service without its scheme.
    pub(crate) fn server(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Creates a file about the payments of this world.
    pub(crate) fn sample(&self, name: &str, what: &[&str]) {
        let done = command(env!("CARGO_BIN_EXE_echeck"), &self.home())
            .arg("sample")
            .args(what)
            .args(["--payments", "300", "--out", name])
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    }

    /// Runs a command in a pipe.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = command(env!("CARGO_BIN_EXE_echeck"), &self.home());
        command.args(arguments);
        self.output(command).await
    }

    /// The objects that a command prints with `--json`.
    pub(crate) async fn json(&self, arguments: &[&str]) -> Vec<Value> {
        json(&self.run(&[arguments, &["--json"]].concat()).await)
    }

    /// Runs a command on a terminal; gives what it shows.
    pub(crate) async fn show(&self, columns: usize, arguments: &[&str]) -> String {
        let command = on_terminal(columns, arguments, &self.home());
        text(&self.output(command).await.stdout)
    }

    /// Runs a command that knows where the stack is.
    pub(crate) async fn output(&self, mut command: Command) -> Output {
        command.env("ECHECK_SERVER", self.server());
        tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap()
    }

    /// Stops the stack.
    pub(crate) async fn stop(mut self) {
        if let Some(stack) = self.stack.take() {
            stack.stop().await.unwrap();
        }
    }
}

#[test]
fn the_checks_find_what_they_look_for() {
    assert_eq!(
        constant_in("state: IMPORT_STATE_APPLIED"),
        Some("IMPORT_STATE_APPLIED".to_owned())
    );
    assert_eq!(constant_in("error: gone [NOT_FOUND]"), None);
    assert_eq!(constant_in("[env: ECHECK_SERVER=] <HOLD_ID>"), None);
    assert_eq!(constant_in("imp_0123 TR_x USD"), None);
    assert_eq!(
        shown_lines("\u{1b}[1mID\u{1b}[0m\r\n\r\u{1b}[2Kdone\n"),
        ["ID", "done"]
    );
}
