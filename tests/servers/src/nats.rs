//! A cluster of NATS servers with JetStream, on this machine.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::port::Port;

/// The servers of the cluster, each killed when this is dropped.
pub struct Nats {
    folder: TempDir,
    /// What every server's configuration has besides.
    extra: String,
    nodes: Vec<Node>,
}

struct Node {
    client: Port,
    cluster: Port,
    process: Option<Child>,
}

impl Nats {
    /// Starts `count` servers, which write each message to disk before they acknowledge it.
    ///
    /// # Panics
    /// When `scripts/setup tests` has not installed the server.
    #[must_use]
    pub fn start(count: usize) -> Self {
        Self::start_with(count, "")
    }

    /// As [`Nats::start`], with more settings in the server's own words.
    ///
    /// # Panics
    /// When `scripts/setup tests` has not installed the server.
    #[must_use]
    pub fn start_with(count: usize, extra: &str) -> Self {
        let node = |_| Node {
            client: Port::take(),
            cluster: Port::take(),
            process: None,
        };
        let mut nats = Self {
            folder: TempDir::new().expect("a folder"),
            extra: extra.to_owned(),
            nodes: (0..count).map(node).collect(),
        };
        for number in 0..count {
            nats.start_one(number);
        }
        nats
    }

    /// The addresses of its servers, each `host:port`.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        let address = |node: &Node| format!("127.0.0.1:{}", node.client.number());
        self.nodes.iter().map(address).collect()
    }

    /// Kills the server of this name, such as `n0`, as a power cut does.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self, name: &str) {
        let number: usize = name[1..].parse().expect("the name of a server");
        let process = self.nodes[number].process.take();
        let mut process = process.expect("the server runs");
        process.kill().expect("it can be killed");
        process.wait().expect("it ends");
    }

    /// Kills all of them.
    ///
    /// # Panics
    /// When one cannot be killed.
    pub fn kill_all(&mut self) {
        for number in 0..self.nodes.len() {
            if self.nodes[number].process.is_some() {
                self.kill(&format!("n{number}"));
            }
        }
    }

    /// Starts those that do not run on the files that they have.
    pub fn start_again(&mut self) {
        for number in 0..self.nodes.len() {
            if self.nodes[number].process.is_none() {
                self.start_one(number);
            }
        }
    }

    fn start_one(&mut self, number: usize) {
        let path = self.folder.path().join(format!("n{number}.conf"));
        std::fs::write(&path, self.configuration(number)).expect("the file can be written");
        let log = self.folder.path().join(format!("n{number}.log"));
        let process = Command::new(program())
            .arg("-c")
            .arg(&path)
            .arg("-l")
            .arg(log)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.nodes[number].process = Some(process.expect("nats-server starts"));
    }

    fn configuration(&self, number: usize) -> String {
        let node = &self.nodes[number];
        let mut text = format!(
            "server_name: n{number}\nlisten: \"127.0.0.1:{}\"\n\
             jetstream {{ store_dir: {:?}, sync_interval: always }}\n{}\n",
            node.client.number(),
            self.folder.path().join(format!("n{number}")),
            self.extra,
        );
        if self.nodes.len() > 1 {
            let route = |node: &Node| format!("\"nats://127.0.0.1:{}\"", node.cluster.number());
            let routes: Vec<String> = self.nodes.iter().map(route).collect();
            // Writing to a text never fails.
            let _ = writeln!(
                text,
                "cluster {{ name: echeck, listen: \"127.0.0.1:{}\", routes: [{}] }}",
                node.cluster.number(),
                routes.join(", ")
            );
        }
        text
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            if let Some(process) = &mut node.process {
                // It may have ended by itself.
                let _ = process.kill();
                let _ = process.wait();
            }
        }
    }
}

fn program() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/bin/nats-server");
    assert!(
        path.exists(),
        "{} is missing: run `scripts/setup tests` first",
        path.display()
    );
    path
}
