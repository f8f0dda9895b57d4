//! The reference: a journal, the two databases that follow it, and everything that may happen
//! to them, in memory.

use proptest::prelude::*;

use echeck_adapter::mapping::ObstacleKind;

use crate::harm::Harm;
use crate::history::{PAYMENTS, Transition};
use crate::transfers::{Effect, Follower, Kind, Side, State, Transfer};

/// A row of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Which transfer.
    pub(crate) transfer: usize,
    pub(crate) effect: Effect,
    /// The position of the row that it replaces.
    supersedes: Option<usize>,
}

/// Everything there is.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    /// What is broken on purpose.
    pub(crate) harm: Harm,
    pub(crate) journal: Vec<Row>,
    /// How many payments have a decided return.
    decided: usize,
    pub(crate) gateway: Follower,
    pub(crate) mirror: Follower,
    gateway_backup: Option<Follower>,
    mirror_backup: Option<Follower>,
    /// Whether the gateway ever went back, behind what the mirror shows perhaps.
    pub(crate) gateway_restored: bool,
}

impl Reference {
    pub(crate) fn strategy(harm: Harm) -> BoxedStrategy<Self> {
        let kind = prop_oneof![
            4 => Just(Kind::Plain),
            3 => Just(Kind::Funded),
            3 => Just(Kind::Pending),
            1 => Just(Kind::Frozen),
            1 => Just(Kind::Cursed),
            1 => Just(Kind::Gone),
            1 => Just(Kind::OnlyInGateway),
        ];
        proptest::collection::vec(kind, PAYMENTS)
            .prop_map(move |kinds| Self {
                harm,
                journal: Vec::new(),
                decided: 0,
                gateway: Follower::new(Side::Gateway, &kinds),
                mirror: Follower::new(Side::Mirror, &kinds),
                gateway_backup: None,
                mirror_backup: None,
                gateway_restored: false,
            })
            .boxed()
    }

    pub(crate) fn follower(&self, side: Side) -> &Follower {
        match side {
            Side::Gateway => &self.gateway,
            Side::Mirror => &self.mirror,
        }
    }

    fn follower_mut(&mut self, side: Side) -> &mut Follower {
        match side {
            Side::Gateway => &mut self.gateway,
            Side::Mirror => &mut self.mirror,
        }
    }

    fn backup_mut(&mut self, side: Side) -> &mut Option<Follower> {
        match side {
            Side::Gateway => &mut self.gateway_backup,
            Side::Mirror => &mut self.mirror_backup,
        }
    }

    /// What the row at a position asks of a database: nothing when it was superseded, and
    /// nothing of the mirror when it did not take effect in the gateway.
    pub(crate) fn change(&self, side: Side, position: usize) -> Option<(usize, Effect)> {
        let row = self.journal.get(position.checked_sub(1)?)?;
        let dead = side == Side::Mirror && self.gateway.exceptions.contains_key(&position);
        let silent = self.is_superseded(position) || dead;
        (!silent).then_some((row.transfer, row.effect))
    }

    fn is_superseded(&self, position: usize) -> bool {
        let mut rows = self.journal.iter();
        rows.any(|row| row.supersedes == Some(position))
    }

    /// A change that would take effect right now, for batches that must not.
    pub(crate) fn tempting(&self, side: Side) -> Option<(usize, Effect)> {
        let mut transfers = self.follower(side).transfers.iter().enumerate();
        transfers.find_map(|(number, transfer)| {
            let ordinary = matches!(transfer.kind, Kind::Plain | Kind::Funded | Kind::Pending);
            let effect = transfer.decide().filter(|_| ordinary)?;
            Some((number, effect))
        })
    }

    /// How far a database can be fed.
    fn limit(&self, side: Side) -> usize {
        match side {
            Side::Gateway => self.journal.len(),
            Side::Mirror => self.gateway.cursor,
        }
    }

    /// The superseding rows for what the gateway had moved on from.
    fn second_decisions(&self) -> Vec<Row> {
        let moved_on = (self.gateway.exceptions.iter())
            .filter(|(position, why)| {
                **why == ObstacleKind::MovedOn && !self.is_superseded(**position)
            })
            .map(|(position, _)| *position);
        moved_on
            .filter_map(|position| {
                let transfer = self.journal[position - 1].transfer;
                Some(Row {
                    transfer,
                    effect: self.gateway.transfers[transfer].decide()?,
                    supersedes: Some(position),
                })
            })
            .collect()
    }

    /// Transfers that can still change and whose return is decided and on its way.
    fn overtaken(&self, can_change: impl Fn(&Transfer) -> bool) -> Vec<usize> {
        let coming = self.journal.iter().skip(self.gateway.cursor);
        coming
            .map(|row| row.transfer)
            .filter(|transfer| {
                let transfer = &self.gateway.transfers[*transfer];
                transfer.is_in(Side::Gateway) && can_change(transfer)
            })
            .collect()
    }

    /// The transfer that [`Transition::Fund`] is about.
    fn to_fund(&self, which: usize) -> Option<usize> {
        let fundable =
            self.overtaken(|transfer| transfer.state == State::Succeeded && !transfer.in_deposit);
        fundable.get(which % fundable.len().max(1)).copied()
    }

    /// The transfer that [`Transition::Arrive`] is about.
    fn to_arrive(&self, which: usize) -> Option<usize> {
        let pending = self.overtaken(|transfer| transfer.state == State::Pending);
        pending.get(which % pending.len().max(1)).copied()
    }

    /// The transfer that [`Transition::EndInMirror`] is about.
    fn to_end_in_mirror(&self, which: usize) -> Option<usize> {
        let coming = self.journal.iter().skip(self.mirror.cursor);
        let open: Vec<usize> = coming
            .map(|row| row.transfer)
            .filter(|transfer| {
                let transfer = &self.mirror.transfers[*transfer];
                transfer.is_in(Side::Mirror) && transfer.decide().is_some()
            })
            .collect();
        open.get(which % open.len().max(1)).copied()
    }

    /// Whether it can happen now.
    pub(crate) fn allows(&self, transition: &Transition) -> bool {
        match transition {
            Transition::Append { .. } => self.decided < PAYMENTS,
            Transition::DecideAgain => !self.second_decisions().is_empty(),
            Transition::Feed { side, .. }
            | Transition::Cancel { side, .. }
            | Transition::Rivals { side, .. } => self.follower(*side).cursor < self.limit(*side),
            Transition::Replay { side, back } => *back <= self.follower(*side).cursor,
            Transition::SkipAhead { .. }
            | Transition::BackUp { .. }
            | Transition::Reopen { .. } => true,
            // The first batch decides which journal a database follows.
            Transition::OtherJournal { side } | Transition::OtherPast { side } => {
                self.follower(*side).cursor > 0
            }
            Transition::Fund { which } => self.to_fund(*which).is_some(),
            Transition::Arrive { which } => self.to_arrive(*which).is_some(),
            Transition::EndInMirror { which } => self.to_end_in_mirror(*which).is_some(),
            Transition::Restore { side } => match side {
                Side::Gateway => self.gateway_backup.is_some(),
                Side::Mirror => self.mirror_backup.is_some(),
            },
        }
    }

    pub(crate) fn after(mut self, transition: &Transition) -> Self {
        match *transition {
            Transition::Append { rows } => self.append(rows),
            Transition::DecideAgain => {
                let rows = self.second_decisions();
                self.journal.extend(rows);
            }
            Transition::Feed { side, rows }
            | Transition::Cancel { side, rows, .. }
            | Transition::Rivals { side, rows } => {
                let from = self.follower(side).cursor;
                for position in from + 1..=self.limit(side).min(from + rows) {
                    let change = self.change(side, position);
                    self.follower_mut(side).apply(change);
                }
            }
            Transition::Fund { which } => {
                if let Some(transfer) = self.to_fund(which) {
                    self.gateway.transfers[transfer].in_deposit = true;
                }
            }
            Transition::Arrive { which } => {
                if let Some(transfer) = self.to_arrive(which) {
                    self.gateway.transfers[transfer].state = State::Succeeded;
                }
            }
            Transition::EndInMirror { which } => {
                if let Some(transfer) = self.to_end_in_mirror(which) {
                    self.mirror.transfers[transfer].state = State::Failed;
                }
            }
            Transition::BackUp { side } => {
                *self.backup_mut(side) = Some(self.follower(side).clone());
            }
            Transition::Restore { side } => {
                if let Some(backup) = self.backup_mut(side).clone() {
                    *self.follower_mut(side) = backup;
                    self.gateway_restored |= side == Side::Gateway;
                }
            }
            Transition::Replay { .. }
            | Transition::SkipAhead { .. }
            | Transition::OtherJournal { .. }
            | Transition::OtherPast { .. }
            | Transition::Reopen { .. } => {}
        }
        self
    }

    fn append(&mut self, rows: usize) {
        let until = PAYMENTS.min(self.decided + rows);
        for transfer in self.decided..until {
            if let Some(effect) = self.gateway.transfers[transfer].decide() {
                self.journal.push(Row {
                    transfer,
                    effect,
                    supersedes: None,
                });
            }
        }
        self.decided = until;
    }

    /// What is left to do until both databases have all that is decided.
    pub(crate) fn left_to_do(&self) -> Option<Transition> {
        let next = [
            Transition::Feed {
                side: Side::Gateway,
                rows: 100,
            },
            Transition::DecideAgain,
            Transition::Feed {
                side: Side::Mirror,
                rows: 100,
            },
        ];
        next.into_iter().find(|transition| self.allows(transition))
    }
}
