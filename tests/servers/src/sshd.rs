//! A real OpenSSH server for one test: its own host key, its own client keys, its own folder,
//! on a port of its own, gone when the value is dropped.
//!
//! ```no_run
//! use echeck_test_servers::sshd::Sshd;
//!
//! let sshd = Sshd::start();
//! sshd.put("returns.csv", "a,b\n");
//! println!("{}", sshd.toml()); // what goes below [sources.NAME.sftp]
//! ```
//!
//! The server lets in the user who runs the test, by key. [`Options`] makes it stricter or
//! broken, and an [`Account`] is a user with a password, for which the test must run as root.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::port::Port;

/// How a server is to be.
#[derive(Debug, Clone, Default)]
pub struct Options {
    read_only: bool,
    denied: Vec<String>,
    passwords: bool,
    terminals: bool,
    shells: bool,
    authentication: Option<String>,
    refuses_client_key: bool,
    host_key_types: Vec<&'static str>,
    port: Option<u16>,
    misbehaves: bool,
    hangs_at_log_in: bool,
}

impl Options {
    /// Files can be read and listed, and nothing else.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// These requests of the protocol are denied, by the names that `sftp-server -Q requests`
    /// lists, such as `opendir` or `rename`.
    #[must_use]
    pub fn denying(mut self, requests: &[&str]) -> Self {
        self.denied = requests.iter().map(ToString::to_string).collect();
        self
    }

    /// Passwords are taken as well as keys.
    #[must_use]
    pub fn with_passwords(mut self) -> Self {
        self.passwords = true;
        self
    }

    /// Terminals are given, which servers for files mostly refuse.
    #[must_use]
    pub fn with_terminals(mut self) -> Self {
        self.terminals = true;
        self
    }

    /// Programs can be run, which servers for files mostly refuse.
    #[must_use]
    pub fn with_shells(mut self) -> Self {
        self.shells = true;
        self
    }

    /// What a log-in needs, as `AuthenticationMethods` in sshd_config(5) says it, such as
    /// `publickey,password` for both.
    #[must_use]
    pub fn requiring(mut self, methods: &str) -> Self {
        self.authentication = Some(methods.to_owned());
        self
    }

    /// The client's key is not among those that are let in.
    #[must_use]
    pub fn refusing_the_key(mut self) -> Self {
        self.refuses_client_key = true;
        self
    }

    /// The types of its host keys, such as `ed25519` and `ecdsa`. The default is ed25519 alone.
    #[must_use]
    pub fn with_host_keys(mut self, types: &[&'static str]) -> Self {
        self.host_key_types = types.to_vec();
        self
    }

    /// Its files are served by `sftp_server.py`, and [`Sshd::behave`] says how.
    #[must_use]
    pub fn misbehaving(mut self) -> Self {
        self.misbehaves = true;
        self
    }

    /// What it asks for the keys of its users does not answer.
    #[must_use]
    pub fn hanging_at_log_in(mut self) -> Self {
        self.hangs_at_log_in = true;
        self
    }

    /// On this port, for a server that is started a second time in place of another.
    #[must_use]
    pub fn on_port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Starts the server and waits until it answers.
    #[must_use]
    pub fn start(self) -> Sshd {
        Sshd::start_with(&self)
    }
}

/// A running server.
pub struct Sshd {
    folder: TempDir,
    port: Port,
    child: Child,
}

/// The passphrase of [`Sshd::encrypted_key_file`].
pub const PASSPHRASE: &str = "correct horse";

impl Sshd {
    /// A server that lets the client's key in and takes everything.
    #[must_use]
    pub fn start() -> Self {
        Options::default().start()
    }

    /// How else a server can be; ends with [`Options::start`].
    #[must_use]
    pub fn options() -> Options {
        Options::default()
    }

    fn start_with(options: &Options) -> Self {
        // sshd separates its privileges into this folder, which nothing makes where no
        // service manager runs.
        if is_root() {
            fs::create_dir_all("/run/sshd").expect("/run/sshd can be made");
        }
        let folder = TempDir::with_prefix("echeck-sshd-").expect("a temporary folder");
        // The accounts of a test come from outside.
        open_to_all(folder.path());
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("data")).expect("the data folder can be made");
        open_to_all(&at("data"));
        let types = match options.host_key_types.as_slice() {
            [] => &["ed25519"],
            types => types,
        };
        for kind in types {
            key(&at(&format!("host_{kind}")), kind, "");
        }
        key(&at("client"), "ed25519", "");
        key(&at("client_encrypted"), "ed25519", PASSPHRASE);
        let allowed = if options.refuses_client_key {
            String::new()
        } else {
            ["client.pub", "client_encrypted.pub"]
                .map(|name| fs::read_to_string(at(name)).expect("the key is there"))
                .concat()
        };
        fs::write(at("authorized_keys"), allowed).expect("the keys can be written");
        fs::write(at("behavior"), "{}").expect("the behavior can be written");
        let port = options.port.map_or_else(Port::take, Port::given);
        fs::write(
            at("sshd_config"),
            config(folder.path(), &port, types, options),
        )
        .expect("the configuration can be written");
        let log = fs::File::create(at("log")).expect("the log can be made");
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(at("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("/usr/sbin/sshd starts; `scripts/setup tests` installs it");
        let mut sshd = Self {
            folder,
            port,
            child,
        };
        sshd.wait_until_it_answers();
        sshd
    }

    fn wait_until_it_answers(&mut self) {
        let started = Instant::now();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port()));
        while TcpStream::connect_timeout(&address, Duration::from_millis(100)).is_err() {
            let ended = self
                .child
                .try_wait()
                .expect("the server can be asked after");
            assert!(
                ended.is_none() && started.elapsed() < Duration::from_secs(20),
                "sshd does not answer: {}",
                self.log()
            );
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Who is let in by key.
    #[must_use]
    pub fn user(&self) -> String {
        user()
    }

    /// The folder with the files. Its absolute path is also its path over SFTP.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Puts a file into the folder, and gives its path.
    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.data().join(name);
        fs::write(&path, content).expect("the file can be written");
        path
    }

    /// From now on a server that is [`Options::misbehaving`] does so in this way: JSON, as
    /// `sftp_server.py` describes it.
    pub fn behave(&self, behavior: &str) {
        let (file, new) = ("behavior", "behavior.new");
        let new = self.folder.path().join(new);
        fs::write(&new, behavior).expect("the behavior can be written");
        fs::rename(new, self.folder.path().join(file)).expect("it can be replaced");
    }

    /// The names in a folder below the data folder; `""` is the data folder itself.
    #[must_use]
    pub fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.data().join(folder))
            .expect("the folder can be listed")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into()
            })
            .collect();
        names.sort();
        names
    }

    /// The file with the client's private key.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        self.folder.path().join("client")
    }

    /// The file with another private key of the client, which [`PASSPHRASE`] opens.
    #[must_use]
    pub fn encrypted_key_file(&self) -> PathBuf {
        self.folder.path().join("client_encrypted")
    }

    /// The fingerprint of its first host key, as `ssh-keygen -lf` prints it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.fingerprint_of("ed25519")
    }

    /// The fingerprint of its host key of the type.
    #[must_use]
    pub fn fingerprint_of(&self, kind: &str) -> String {
        let file = self.folder.path().join(format!("host_{kind}.pub"));
        let printed = run(Command::new("ssh-keygen").arg("-lf").arg(file));
        let fingerprint = printed.split_whitespace().nth(1);
        fingerprint.expect("a fingerprint").to_owned()
    }

    /// A known-hosts file with its host key of the type, for `host` and its port; the name is
    /// hashed on demand.
    #[must_use]
    pub fn known_hosts(&self, host: &str, kind: &str, hashed: bool) -> PathBuf {
        let key = fs::read_to_string(self.folder.path().join(format!("host_{kind}.pub")))
            .expect("the host key is there");
        let file = self
            .folder
            .path()
            .join(format!("known_hosts_{kind}_{hashed}"));
        fs::write(&file, format!("[{host}]:{} {key}", self.port())).expect("can be written");
        if hashed {
            run(Command::new("ssh-keygen").arg("-H").arg("-f").arg(&file));
        }
        file
    }

    /// The keys of `[sources.NAME.sftp]` that get in by key, as lines of TOML.
    #[must_use]
    pub fn toml(&self) -> String {
        self.toml_for(self.port())
    }

    /// As [`Sshd::toml`], over a proxy that listens on `port`.
    #[must_use]
    pub fn toml_for(&self, port: u16) -> String {
        format!(
            "host = \"127.0.0.1\"\nport = {port}\nuser = {:?}\nhost_key = {:?}\n\
             private_key_file = {:?}\ndirectory = {:?}\n",
            self.user(),
            self.fingerprint(),
            self.key_file(),
            self.data(),
        )
    }

    /// What the server has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Stops the listener as a machine without a processor would: connections are taken by the
    /// system, and nobody answers them.
    pub fn freeze(&self) {
        let id = i32::try_from(self.child.id()).ok();
        let id = id.and_then(rustix::process::Pid::from_raw).expect("an id");
        rustix::process::kill_process(id, rustix::process::Signal::STOP).expect("it is ours");
    }

    /// Ends the server: no new connection is taken, and those there are break.
    pub fn stop(&mut self) {
        let mut processes = vec![self.child.id()];
        let mut at = 0;
        while let Some(process) = processes.get(at).copied() {
            processes.extend(children(process));
            at += 1;
        }
        // The listener first, so that there are no new ones.
        let _ = self.child.kill();
        let _ = self.child.wait();
        for process in processes.into_iter().skip(1) {
            let id = i32::try_from(process)
                .ok()
                .and_then(rustix::process::Pid::from_raw);
            if let Some(id) = id {
                // It may have ended by itself.
                let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
            }
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
    }
}

fn children(process: u32) -> Vec<u32> {
    let file = format!("/proc/{process}/task/{process}/children");
    let listed = fs::read_to_string(file).unwrap_or_default();
    listed
        .split_whitespace()
        .filter_map(|id| id.parse().ok())
        .collect()
}

fn config(folder: &Path, port: &Port, types: &[&str], options: &Options) -> String {
    let at = |name: &str| folder.join(name).display().to_string();
    let yes_no = |yes| if yes { "yes" } else { "no" };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("sftp_server.py");
    let mut sftp = match options.misbehaves {
        true => format!(
            "/usr/bin/env python3 {} {}",
            script.display(),
            at("behavior")
        ),
        false => format!("internal-sftp -d {} -l VERBOSE", at("data")),
    };
    if options.read_only {
        sftp.push_str(" -R");
    }
    if !options.denied.is_empty() {
        sftp.push_str(&format!(" -P {}", options.denied.join(",")));
    }
    let host_keys: String = types
        .iter()
        .map(|kind| format!("HostKey {}\n", at(&format!("host_{kind}"))))
        .collect();
    let forced = match options.shells {
        true => String::new(),
        false => format!("ForceCommand {sftp}\n"),
    };
    let methods = match (&options.authentication, options.passwords) {
        (Some(methods), _) => methods.as_str(),
        (None, true) => "publickey password",
        (None, false) => "publickey",
    };
    // A subsystem is started by the account's shell. SHLVL keeps bash from reading ~/.bashrc first, which
    // takes seconds on some machines, and counts as the server's own time.
    let command = match options.hangs_at_log_in {
        true => "AuthorizedKeysCommand /usr/bin/sleep 60\nAuthorizedKeysCommandUser nobody\n",
        false => "",
    };
    format!(
        "{command}ListenAddress 127.0.0.1\nPort {}\n{host_keys}PidFile none\n\
         AuthorizedKeysFile {}\nAuthenticationMethods {methods}\n\
         PasswordAuthentication {}\nKbdInteractiveAuthentication no\n\
         PermitRootLogin prohibit-password\nUsePAM no\nStrictModes no\nUseDNS no\nPermitTTY {}\n\
         AllowTcpForwarding no\nMaxStartups 100\nLogLevel VERBOSE\nSetEnv SHLVL=2\n\
         Subsystem sftp {sftp}\n{forced}",
        port.number(),
        at("authorized_keys"),
        yes_no(options.passwords || methods.contains("password")),
        yes_no(options.terminals),
    )
}

fn key(file: &Path, kind: &str, passphrase: &str) {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", kind, "-N", passphrase, "-C", "test", "-f"]);
    run(command.arg(file));
}

/// Runs a command that must succeed; gives what it printed.
fn run(command: &mut Command) -> String {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    assert!(
        output.status.success(),
        "{command:?} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("the folder is ours");
}

fn user() -> String {
    run(Command::new("id").arg("-un")).trim().to_owned()
}

/// Whether the test may make accounts.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A user of this machine with a password, for as long as the value lives.
pub struct Account {
    /// The user's name.
    pub name: String,
    /// The user's password.
    pub password: String,
}

impl Account {
    /// Makes a user.
    ///
    /// # Panics
    /// When the test does not run as root.
    #[must_use]
    pub fn create() -> Self {
        assert!(
            is_root(),
            "a test with passwords makes a user, so it must run as root"
        );
        let id = uuid::Uuid::new_v4().simple().to_string();
        let name = format!("echeck-{}", id.get(..12).expect("32 digits"));
        let account = Self {
            password: format!("pass {id}"),
            name,
        };
        locked(&["useradd", "-M", "-N", "-s", "/bin/sh", &account.name], "");
        account.set_password(&account.password);
        account
    }

    /// Gives the user another password, as an acquirer does who rotates it.
    pub fn set_password(&self, password: &str) {
        locked(&["chpasswd"], &format!("{}:{password}\n", self.name));
    }

    /// From now on its shell is this program.
    pub fn set_shell(&self, program: &str) {
        locked(&["usermod", "-s", program, &self.name], "");
    }

    /// From now on the password must be changed at the next log-in.
    pub fn expire(&self) {
        locked(&["chage", "-d", "0", &self.name], "");
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        locked(&["userdel", "-f", &self.name], "");
    }
}

/// Runs a command that changes the list of users, one at a time in this machine's tests.
fn locked(command: &[&str], input: &str) {
    use std::io::Write as _;
    let lock = std::env::temp_dir().join("echeck-test-accounts.lock");
    let lock = fs::File::create(lock).expect("the lock can be made");
    lock.lock().expect("the lock can be taken");
    let (program, arguments) = command.split_first().expect("a command");
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program} cannot be run: {error}"));
    let mut stdin = child.stdin.take().expect("a pipe");
    // A command that wants no input may have ended already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {said}");
}
