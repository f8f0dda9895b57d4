//! The stream that is published to. Opening it finds out where the last publisher was: its last
//! message says so.

use async_nats::ConnectOptions;
use async_nats::jetstream::context::{GetStreamError, GetStreamErrorKind, PublishError};
use async_nats::jetstream::stream::{Config, RawMessageErrorKind, RetentionPolicy, State, Stream};
use async_nats::jetstream::{Context, ErrorCode};
use echeck_service::ErrorChain;
use returns_model::journal::{Head, JournalRow};
use returns_store::Store;
use secrecy::ExposeSecret as _;
use tokio::time::timeout;
use uuid::Uuid;

use crate::message::{End, Published, message};
use crate::{LogIn, StreamError, StreamSettings};

/// A stream, and where it ends.
pub(crate) struct Opened {
    context: Context,
    subject: String,
    journal_id: Uuid,
    /// The journal's position of the last row that is in it, or before its first one.
    pub(crate) position: u64,
    end: End,
}

impl Opened {
    /// Connects, makes the stream if it is not there, and finds its end in the journal.
    pub(crate) async fn open(
        settings: &StreamSettings,
        store: &dyn Store,
    ) -> Result<Self, StreamError> {
        let context = connect(settings).await?;
        let stream = stream(&context, settings).await?;
        let head = store.head().await?;
        let state = &stream.cached_info().state;
        let last = match last(&stream, state).await? {
            Some(published) => Some(place_of(&published, &head, store).await?),
            None => None,
        };
        let position = match last {
            Some(position) => position,
            None => beginning(settings, state, &head)?,
        };
        tracing::info!(
            stream = settings.stream,
            position,
            "the journal is published to NATS after this position"
        );
        Ok(Self {
            end: End {
                sequence: state.last_sequence,
                position: last,
            },
            context,
            subject: settings.subject.clone(),
            journal_id: head.journal_id,
            position,
        })
    }

    /// Whether the stream is there, fit, and ends with the last message that was published to it.
    pub(crate) async fn is_as_left(&self, settings: &StreamSettings) -> Result<bool, StreamError> {
        let stream = stream(&self.context, settings).await?;
        Ok(stream.cached_info().state.last_sequence == self.end.sequence)
    }

    /// Publishes rows that follow the position, and waits until the cluster has all of them.
    pub(crate) async fn publish(&mut self, rows: &[JournalRow]) -> Result<(), StreamError> {
        let mut pending = Vec::with_capacity(rows.len());
        let mut end = self.end;
        for row in rows {
            let message = message(self.journal_id, row, end);
            let sent = self.context.send_publish(self.subject.clone(), message);
            let ack = sent.await.map_err(not_published(row.position))?;
            end = End {
                sequence: end.sequence + 1,
                position: Some(row.position),
            };
            pending.push((row.position, end, ack));
        }
        for (position, there, ack) in pending {
            let ack = ack.await.map_err(not_published(position))?;
            if ack.sequence != there.sequence {
                return Err(StreamError::Refused(format!(
                    "position {position} is its message {}, and not {}",
                    ack.sequence, there.sequence
                )));
            }
            (self.position, self.end) = (position, there);
        }
        Ok(())
    }
}

/// Connects to one of the servers.
pub(crate) async fn connect(settings: &StreamSettings) -> Result<Context, StreamError> {
    let unreachable =
        |error: &dyn std::error::Error| StreamError::Unreachable(ErrorChain(error).to_string());
    let mut options = ConnectOptions::new()
        .name("echeck-returns")
        .connection_timeout(settings.timeout)
        .request_timeout(Some(settings.timeout))
        // Only the servers of the configuration are known to be reachable from here.
        .ignore_discovered_servers();
    options = match &settings.log_in {
        LogIn::None => options,
        LogIn::Credentials(text) => options
            .credentials(text.expose_secret())
            .map_err(|error| unreachable(&error))?,
        LogIn::Password { user, password } => {
            options.user_and_password(user.clone(), password.expose_secret().to_owned())
        }
        LogIn::Token(token) => options.token(token.expose_secret().to_owned()),
    };
    if let Some(tls) = &settings.tls {
        options = options.require_tls(true).tls_client_config(tls.config());
    }
    let connecting = options.connect(&*settings.servers);
    let connected = timeout(settings.timeout, connecting).await;
    let client = connected
        .map_err(|_| {
            let waited = settings.timeout.as_millis();
            StreamError::Unreachable(format!("no server has answered within {waited} ms"))
        })?
        .map_err(|error| unreachable(&error))?;
    let mut context = async_nats::jetstream::new(client);
    context.set_timeout(settings.timeout);
    Ok(context)
}

/// The stream, which is made when it is not there, and must be fit to hold a journal.
pub(crate) async fn stream(
    context: &Context,
    settings: &StreamSettings,
) -> Result<Stream, StreamError> {
    let stream = match context.get_stream(&settings.stream).await {
        Ok(stream) => stream,
        Err(error) if is_missing(&error) => {
            let created = context.create_stream(new_stream(settings)).await;
            let created = created.map_err(|error| {
                StreamError::Refused(format!(
                    "it is not there, and cannot be made: {}",
                    ErrorChain(&error)
                ))
            })?;
            tracing::info!(stream = settings.stream, "the stream is made");
            created
        }
        Err(error) => return Err(not_got(&error)),
    };
    let config = &stream.cached_info().config;
    match unfit(config, settings) {
        Some(why) => Err(StreamError::Refused(why)),
        None => Ok(stream),
    }
}

fn new_stream(settings: &StreamSettings) -> Config {
    Config {
        name: settings.stream.clone(),
        description: Some("The journal of echeck-returns, row by row".to_owned()),
        subjects: vec![settings.subject.clone()],
        num_replicas: settings.replicas,
        // As in the journal, rows are neither changed nor deleted.
        deny_delete: true,
        deny_purge: true,
        ..Config::default()
    }
}

/// Why a stream that is there cannot hold the journal.
fn unfit(config: &Config, settings: &StreamSettings) -> Option<String> {
    if config.subjects != [settings.subject.as_str()] {
        return Some(format!(
            "its subjects are {:?}, and not only {:?}: others could publish between two rows",
            config.subjects, settings.subject
        ));
    }
    if config.num_replicas < settings.replicas {
        return Some(format!(
            "it has {} of {} replicas; give it more (`nats stream edit --replicas`), or set nats.replicas",
            config.num_replicas, settings.replicas
        ));
    }
    if config.retention != RetentionPolicy::Limits {
        let what = "its messages are removed when they are read (retention), so that a second \
                    reader would miss them; make it with retention \"limits\"";
        return Some(what.to_owned());
    }
    config.no_ack.then(|| {
        "it does not acknowledge messages (no_ack), so that nobody knows what it has".to_owned()
    })
}

/// What the last message of the stream is of; `None` when there is no message in it.
async fn last(stream: &Stream, state: &State) -> Result<Option<Published>, StreamError> {
    if state.messages == 0 {
        return Ok(None);
    }
    let sequence = state.last_sequence;
    let message = stream.get_raw_message(sequence).await.map_err(|error| {
        let what = format!(
            "its last message ({sequence}) cannot be read: {}",
            ErrorChain(&error)
        );
        match error.kind() {
            RawMessageErrorKind::Other => StreamError::Unreachable(what),
            RawMessageErrorKind::NoMessageFound
            | RawMessageErrorKind::InvalidSubject
            | RawMessageErrorKind::JetStream(_) => StreamError::Refused(what),
        }
    })?;
    let published = Published::read(&message.headers).ok_or_else(|| {
        StreamError::Foreign(format!(
            "its last message ({sequence}) is not a row of a journal: somebody else publishes to {:?}",
            message.subject.as_str()
        ))
    })?;
    Ok(Some(published))
}

/// The position of the last row in the stream, if it is a row of this journal.
async fn place_of(
    published: &Published,
    head: &Head,
    store: &dyn Store,
) -> Result<u64, StreamError> {
    let Published {
        journal_id,
        position,
        hash,
    } = published;
    if *journal_id != head.journal_id.to_string() {
        return Err(StreamError::Foreign(format!(
            "it has rows of the journal {journal_id}, and this is {}",
            head.journal_id
        )));
    }
    let row = store.row(*position).await?;
    let Some(row) = row else {
        return Err(StreamError::Foreign(format!(
            "it has rows up to position {position}, and the journal ends at {}: the returns database \
             was restored to an older state",
            head.position
        )));
    };
    if row.hash.to_string() != *hash {
        return Err(StreamError::Foreign(format!(
            "its row at position {position} is another one than the journal's: the returns database \
             was restored to an older state, and went on differently"
        )));
    }
    Ok(*position)
}

/// Where a stream without a message begins.
fn beginning(settings: &StreamSettings, state: &State, head: &Head) -> Result<u64, StreamError> {
    match settings.after_position {
        Some(after) if after > head.position => Err(StreamError::Refused(format!(
            "nats.after_position is {after}, and the journal ends at {}",
            head.position
        ))),
        Some(after) => Ok(after),
        None if state.last_sequence == 0 => Ok(0),
        None => Err(StreamError::Refused(
            "its messages were removed, so that nobody knows where it ended; set nats.after_position \
             to the last position that its readers have"
                .to_owned(),
        )),
    }
}

fn is_missing(error: &GetStreamError) -> bool {
    matches!(
        error.kind(),
        GetStreamErrorKind::JetStream(told) if told.error_code() == ErrorCode::STREAM_NOT_FOUND
    )
}

fn not_got(error: &GetStreamError) -> StreamError {
    let why = ErrorChain(error).to_string();
    match error.kind() {
        GetStreamErrorKind::Request => StreamError::Unreachable(why),
        GetStreamErrorKind::EmptyName
        | GetStreamErrorKind::InvalidStreamName
        | GetStreamErrorKind::JetStream(_) => StreamError::Refused(why),
    }
}

fn not_published(position: u64) -> impl Fn(PublishError) -> StreamError {
    move |error| {
        StreamError::Refused(format!(
            "it did not take position {position}: {}",
            ErrorChain(&error)
        ))
    }
}
