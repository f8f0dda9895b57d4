//! A web server that keeps what it is sent, and answers as it is told: what Slack, PagerDuty
//! and other webhooks look like from the other side.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// `GET` or `POST`.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// As text; empty where it is none.
    pub body: String,
    /// As it came.
    pub bytes: Vec<u8>,
    /// Whether it was answered with a 2xx, in time or late.
    pub accepted: bool,
}

impl Received {
    /// The value of a header, if it was sent.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// How a request is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// With this status and body.
    Status(u16, String),
    /// With this status, and with these headers, each with its line's end.
    With(u16, String),
    /// Never.
    Hang,
    /// By closing the connection.
    Reset,
    /// With a redirect.
    Redirect(String),
    /// With 200, after so long.
    Late(Duration),
}

impl Answer {
    const fn accepts(&self) -> bool {
        match self {
            Self::Status(status, _) | Self::With(status, _) => *status >= 200 && *status < 300,
            Self::Late(_) => true,
            Self::Hang | Self::Reset | Self::Redirect(_) => false,
        }
    }
}

#[derive(Default)]
struct State {
    received: Vec<Received>,
    /// For the next requests, one each.
    next: VecDeque<Answer>,
    always: Option<Answer>,
}

/// A web server on 127.0.0.1, gone when it is dropped.
pub struct HttpReceiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    serving: JoinHandle<()>,
}

impl HttpReceiver {
    /// Starts on any free port; answers 200 until it is told otherwise.
    pub async fn start() -> Self {
        Self::start_at("127.0.0.1:0").await
    }

    /// Starts at an address, such as that of one that was dropped.
    pub async fn start_at(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.expect("the port is free");
        let address = listener.local_addr().expect("it is bound");
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        let serving = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, shared.clone()));
            }
        });
        Self {
            address,
            state,
            serving,
        }
    }

    /// Host and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address with a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What came so far, in order.
    pub fn received(&self) -> Vec<Received> {
        self.state.lock().expect("no panic").received.clone()
    }

    /// What came since this was last called, in order; [`Self::received`] forgets it too.
    pub fn take_received(&self) -> Vec<Received> {
        std::mem::take(&mut self.state.lock().expect("no panic").received)
    }

    /// Answers the next request like this, and those after it as before.
    pub fn answer_next(&self, answer: Answer) {
        self.state.lock().expect("no panic").next.push_back(answer);
    }

    /// How many of those answers are still to be given.
    pub fn answers_left(&self) -> usize {
        self.state.lock().expect("no panic").next.len()
    }

    /// Answers every request like this from now on.
    pub fn answer(&self, answer: Answer) {
        self.state.lock().expect("no panic").always = Some(answer);
    }
}

impl Drop for HttpReceiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(connection: TcpStream, state: Arc<Mutex<State>>) {
    let mut reader = BufReader::new(connection);
    while let Some(mut request) = read(&mut reader).await {
        let answer = {
            let mut state = state.lock().expect("no panic");
            let next = state.next.pop_front();
            let answer = next
                .or_else(|| state.always.clone())
                .unwrap_or_else(|| Answer::Status(200, "ok".to_owned()));
            request.accepted = answer.accepts();
            state.received.push(request);
            answer
        };
        let text = match answer {
            Answer::Status(status, body) => response(status, "", &body),
            Answer::With(status, headers) => response(status, &headers, ""),
            Answer::Redirect(to) => response(302, &format!("location: {to}\r\n"), ""),
            Answer::Late(pause) => {
                tokio::time::sleep(pause).await;
                response(200, "", "ok")
            }
            Answer::Hang => std::future::pending().await,
            Answer::Reset => return,
        };
        if reader.get_mut().write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn response(status: u16, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} Said\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The next request of a connection; `None` at its end.
async fn read(reader: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut line = String::new();
    if reader.read_line(&mut line).await.ok()? == 0 {
        return None;
    }
    let mut parts = line.split_whitespace();
    let (method, path) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .and_then(|(_, value)| value.parse::<usize>().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await.ok()?;
    Some(Received {
        method,
        path,
        headers,
        body: String::from_utf8(body.clone()).unwrap_or_default(),
        bytes: body,
        accepted: false,
    })
}
