//! Everything there is at one moment.

use crate::databases::{Database, ReturnsDb, Target};
use crate::processes::{AdapterCopy, CopyId, Message, Replica};
use crate::scenario::Scenario;

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct World {
    pub(crate) returns: ReturnsDb,
    pub(crate) gateway: Target,
    pub(crate) mirror: Target,
    /// Whether the owner of the transfer has funded it.
    pub(crate) funded: bool,
    pub(crate) replicas: Vec<Replica>,
    /// The adapter copies in front of the gateway.
    pub(crate) gateway_copies: Vec<AdapterCopy>,
    /// Those in front of the mirror; none when the scenario has no mirror.
    pub(crate) mirror_copies: Vec<AdapterCopy>,
    /// Messages that no copy has received, sorted: the network keeps no order.
    pub(crate) network: Vec<Message>,
    pub(crate) faults_left: u8,
}

impl World {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        Self {
            returns: ReturnsDb::default(),
            gateway: Target::default(),
            mirror: Target::default(),
            funded: false,
            replicas: vec![Replica::default(); scenario.replicas],
            gateway_copies: vec![AdapterCopy::Free; scenario.gateway_copies],
            mirror_copies: vec![AdapterCopy::Free; scenario.mirror_copies],
            network: Vec::new(),
            faults_left: scenario.faults,
        }
    }

    pub(crate) fn target(&self, database: Database) -> &Target {
        match database {
            Database::Gateway => &self.gateway,
            Database::Mirror => &self.mirror,
        }
    }

    pub(crate) fn target_mut(&mut self, database: Database) -> &mut Target {
        match database {
            Database::Gateway => &mut self.gateway,
            Database::Mirror => &mut self.mirror,
        }
    }

    pub(crate) fn copies(&self, database: Database) -> &[AdapterCopy] {
        match database {
            Database::Gateway => &self.gateway_copies,
            Database::Mirror => &self.mirror_copies,
        }
    }

    pub(crate) fn copy_mut(&mut self, copy: CopyId) -> &mut AdapterCopy {
        match copy.database {
            Database::Gateway => &mut self.gateway_copies[copy.number],
            Database::Mirror => &mut self.mirror_copies[copy.number],
        }
    }

    /// The databases that there are.
    pub(crate) fn databases(&self) -> &'static [Database] {
        if self.mirror_copies.is_empty() {
            &[Database::Gateway]
        } else {
            &[Database::Gateway, Database::Mirror]
        }
    }

    /// All copies of the adapters.
    pub(crate) fn copy_ids(&self) -> impl Iterator<Item = CopyId> {
        (self.databases().iter()).flat_map(|&database| {
            (0..self.copies(database).len()).map(move |number| CopyId { database, number })
        })
    }

    /// All targets have the whole journal, the journal has the whole import, and no
    /// exception is left.
    pub(crate) fn drained(&self, scenario: &Scenario) -> bool {
        let head = self.returns.head();
        self.returns.import_done == scenario.batches.len()
            && (self.databases().iter()).all(|database| self.target(*database).cursor == head)
            && (self.gateway.exceptions.iter()).all(|position| self.returns.superseded(*position))
    }

    /// All messages, wherever they are.
    pub(crate) fn messages_mut(&mut self) -> impl Iterator<Item = &mut Message> {
        let copies = self
            .gateway_copies
            .iter_mut()
            .chain(&mut self.mirror_copies);
        let held = copies.filter_map(AdapterCopy::message_mut);
        self.network.iter_mut().chain(held)
    }

    /// Drops the messages that nobody waits for and that can only be refused, since the
    /// target has passed them for good: no action that they allow changes anything.
    pub(crate) fn forget_hopeless(&mut self) {
        let gateway = self.gateway.cursor.position;
        let mirror = if self.faults_left == 0 {
            self.mirror.cursor.position
        } else {
            0
        };
        let hopeless = |message: &Message| {
            let passed = match message.database {
                Database::Gateway => gateway,
                Database::Mirror => mirror,
            };
            message.asker.is_none() && message.first.position <= passed
        };
        self.network.retain(|message| !hopeless(message));
        for copy in self
            .gateway_copies
            .iter_mut()
            .chain(&mut self.mirror_copies)
        {
            if matches!(copy, AdapterCopy::Applying(message) if hopeless(message)) {
                *copy = AdapterCopy::Free;
            }
        }
    }

    /// The same world with equals in a fixed order: which of two replicas, or of two copies
    /// of an adapter, is called the first makes no difference.
    pub(crate) fn representative(&self) -> Self {
        let mut this = self.clone();
        this.sort();
        if self.replicas.len() != 2 {
            return this;
        }
        let mut other = self.clone();
        other.replicas.swap(0, 1);
        for message in other.messages_mut() {
            message.asker = message.asker.map(|replica| 1 - replica);
        }
        other.sort();
        this.min(other)
    }

    fn sort(&mut self) {
        self.network.sort();
        self.gateway_copies.sort();
        self.mirror_copies.sort();
    }
}
