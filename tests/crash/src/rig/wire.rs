//! Just enough of the client's side of PostgreSQL's and MySQL's protocols to see a COMMIT go
//! by, whether it is sent as a query or as a prepared statement.

use std::collections::HashSet;

/// A protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// PostgreSQL, version 3.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
}

/// Watches what one client sends.
pub(super) struct Watch {
    protocol: Protocol,
    pending: Vec<u8>,
    /// PostgreSQL: whether the start of the session is over.
    started: bool,
    /// PostgreSQL: statements that were prepared as a COMMIT.
    names: HashSet<Vec<u8>>,
    /// MySQL: whether the next answer is the id of a COMMIT that was prepared.
    preparing: bool,
    /// MySQL: ids of statements that were prepared as a COMMIT.
    ids: HashSet<[u8; 4]>,
}

impl Watch {
    /// A new session.
    #[must_use]
    pub(super) fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            pending: Vec::new(),
            started: false,
            names: HashSet::new(),
            preparing: false,
            ids: HashSet::new(),
        }
    }

    /// Takes what the client sends; true when a COMMIT is among it.
    pub(super) fn client_sends(&mut self, bytes: &[u8]) -> bool {
        self.pending.extend_from_slice(bytes);
        let mut commits = false;
        while let Some(message) = self.next_message() {
            commits |= match self.protocol {
                Protocol::Postgres => self.postgres(&message),
                Protocol::MySql => self.mysql(&message),
            };
        }
        commits
    }

    /// Takes what the server answers.
    pub(super) fn server_sends(&mut self, bytes: &[u8]) {
        // The answer to a prepare: length, number 1, then 0 and the statement's id.
        if self.preparing
            && let [_, _, _, 1, 0, a, b, c, d, ..] = bytes
        {
            self.ids.insert([*a, *b, *c, *d]);
            self.preparing = false;
        }
    }

    fn next_message(&mut self) -> Option<Vec<u8>> {
        let length = match self.protocol {
            Protocol::Postgres if self.started => 1 + be_u32(self.pending.get(1..5)?)?,
            Protocol::Postgres => be_u32(self.pending.get(..4)?)?,
            Protocol::MySql => {
                let [a, b, c] = *self.pending.get(..3)? else {
                    return None;
                };
                4 + usize::from(a) + (usize::from(b) << 8) + (usize::from(c) << 16)
            }
        };
        if length == 0 || self.pending.len() < length {
            return None;
        }
        let rest = self.pending.split_off(length);
        Some(std::mem::replace(&mut self.pending, rest))
    }

    fn postgres(&mut self, message: &[u8]) -> bool {
        if !self.started {
            // Requests for TLS or GSSAPI come before the start and look like it.
            self.started = message.get(4..8) == Some(&[0, 3, 0, 0]);
            return false;
        }
        match message.first() {
            Some(b'Q') => is_commit(&message[5..]),
            Some(b'P') => {
                let mut parts = message[5..].split(|byte| *byte == 0);
                let (name, sql) = (
                    parts.next().unwrap_or_default(),
                    parts.next().unwrap_or_default(),
                );
                let commit = is_commit(sql);
                if commit {
                    self.names.insert(name.to_owned());
                } else {
                    self.names.remove(name);
                }
                false
            }
            Some(b'B') => {
                let mut parts = message[5..].split(|byte| *byte == 0);
                let name = parts.nth(1).unwrap_or_default();
                self.names.contains(name)
            }
            _ => false,
        }
    }

    fn mysql(&mut self, message: &[u8]) -> bool {
        // Numbers above 0 belong to the handshake.
        if message.get(3) != Some(&0) {
            return false;
        }
        match (message.get(4), message.get(5..)) {
            (Some(3), Some(sql)) => is_commit(sql),
            (Some(0x16), Some(sql)) => {
                self.preparing = is_commit(sql);
                false
            }
            (Some(0x17), Some(rest)) => rest
                .first_chunk::<4>()
                .is_some_and(|id| self.ids.contains(id)),
            _ => false,
        }
    }
}

fn be_u32(bytes: &[u8]) -> Option<usize> {
    let bytes: [u8; 4] = bytes.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(bytes)).ok()
}

fn is_commit(sql: &[u8]) -> bool {
    sql.trim_ascii_start()
        .get(..6)
        .is_some_and(|word| word.eq_ignore_ascii_case(b"commit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn postgres(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut message = vec![kind];
        message.extend_from_slice(&u32::try_from(body.len() + 4).unwrap().to_be_bytes());
        message.extend_from_slice(body);
        message
    }

    fn started() -> Watch {
        let mut watch = Watch::new(Protocol::Postgres);
        // A request for TLS, then the start.
        assert!(!watch.client_sends(&[0, 0, 0, 8, 4, 210, 22, 47]));
        assert!(!watch.client_sends(&[0, 0, 0, 9, 0, 3, 0, 0, 0]));
        watch
    }

    #[test]
    fn a_simple_commit_is_seen_even_when_it_comes_in_pieces() {
        let mut watch = started();
        assert!(!watch.client_sends(&postgres(b'Q', b"SELECT 'COMMIT'\0")));
        let commit = postgres(b'Q', b"COMMIT\0");
        assert!(!watch.client_sends(&commit[..7]));
        assert!(watch.client_sends(&commit[7..]));
    }

    #[test]
    fn a_prepared_commit_is_seen_each_time_it_is_bound() {
        let mut watch = started();
        assert!(!watch.client_sends(&postgres(b'P', b"s1\0COMMIT\0\0\0")));
        assert!(!watch.client_sends(&postgres(b'P', b"s2\0SELECT 1\0\0\0")));
        assert!(watch.client_sends(&postgres(b'B', b"\0s1\0\0\0\0\0\0\0")));
        assert!(!watch.client_sends(&postgres(b'B', b"\0s2\0\0\0\0\0\0\0")));
    }

    fn mysql(number: u8, body: &[u8]) -> Vec<u8> {
        let mut message = vec![u8::try_from(body.len()).unwrap(), 0, 0, number];
        message.extend_from_slice(body);
        message
    }

    #[test]
    fn a_mysql_commit_is_seen_as_a_query_and_as_a_prepared_statement() {
        let mut watch = Watch::new(Protocol::MySql);
        assert!(!watch.client_sends(&mysql(1, b"\x03COMMIT, though this is the handshake")));
        assert!(watch.client_sends(&mysql(0, b"\x03COMMIT")));
        assert!(!watch.client_sends(&mysql(0, b"\x16COMMIT")));
        watch.server_sends(&mysql(1, b"\x00\x07\x00\x00\x00\x00\x00"));
        assert!(watch.client_sends(&mysql(0, b"\x17\x07\x00\x00\x00\x00\x01\x00\x00\x00")));
        assert!(!watch.client_sends(&mysql(0, b"\x17\x08\x00\x00\x00\x00\x01\x00\x00\x00")));
    }
}
