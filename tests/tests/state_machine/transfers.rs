//! What a journal row does to a transfer, said once more and without SQL.

use std::collections::BTreeMap;

use echeck_adapter::mapping::ObstacleKind;

/// One of the two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Gateway,
    Mirror,
}

/// What is special about a payment from the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A debit that SUCCEEDED, in no deposit.
    Plain,
    /// One that is in a deposit.
    Funded,
    /// One that is still on its way.
    Pending,
    /// The gateway refuses its change.
    Frozen,
    /// The gateway answers its change by throwing the whole transaction away.
    Cursed,
    /// The gateway has lost it after it was decided on.
    Gone,
    /// The mirror never had it.
    OnlyInGateway,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Pending,
    Succeeded,
    Failed,
    Returned,
}

/// What a row of the journal does. Each has one state that it may be decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Of a payment on its way.
    Fail,
    /// Of one that is in no deposit.
    Return,
    /// Of one that is in a deposit.
    Reverse,
}

/// A transfer as one of the databases has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transfer {
    pub(crate) kind: Kind,
    pub(crate) state: State,
    pub(crate) in_deposit: bool,
    /// The effects it had.
    pub(crate) effects: Vec<Effect>,
}

impl Transfer {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            state: match kind {
                Kind::Pending => State::Pending,
                Kind::Plain
                | Kind::Funded
                | Kind::Frozen
                | Kind::Cursed
                | Kind::Gone
                | Kind::OnlyInGateway => State::Succeeded,
            },
            in_deposit: kind == Kind::Funded,
            effects: Vec::new(),
        }
    }

    /// Whether a database has it.
    pub(crate) fn is_in(&self, side: Side) -> bool {
        match side {
            Side::Gateway => self.kind != Kind::Gone,
            Side::Mirror => self.kind != Kind::OnlyInGateway,
        }
    }

    /// The decision about a return of it, as it is; `None` when it has ended.
    pub(crate) fn decide(&self) -> Option<Effect> {
        match (self.state, self.in_deposit) {
            (State::Pending, _) => Some(Effect::Fail),
            (State::Succeeded, false) => Some(Effect::Return),
            (State::Succeeded, true) => Some(Effect::Reverse),
            (State::Failed | State::Returned, _) => None,
        }
    }

    /// Why an effect does not happen.
    fn refusal(&self, side: Side, effect: Effect) -> Option<ObstacleKind> {
        if !self.is_in(side) {
            return Some(ObstacleKind::NotFound);
        }
        let as_decided = match side {
            Side::Gateway => self.decide() == Some(effect),
            // A mirror lags behind; it only has to be open.
            Side::Mirror => self.decide().is_some(),
        };
        if !as_decided {
            return Some(ObstacleKind::MovedOn);
        }
        let refused = side == Side::Gateway && matches!(self.kind, Kind::Frozen | Kind::Cursed);
        refused.then_some(ObstacleKind::Refused)
    }

    fn change(&mut self, side: Side, effect: Effect) {
        self.state = match (side, effect) {
            (_, Effect::Fail) => State::Failed,
            (_, Effect::Return) | (Side::Mirror, Effect::Reverse) => State::Returned,
            (Side::Gateway, Effect::Reverse) => self.state,
        };
        self.effects.push(effect);
    }
}

/// A database that follows the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Follower {
    pub(crate) side: Side,
    /// The position of the last row applied; 0 before the first.
    pub(crate) cursor: usize,
    pub(crate) transfers: Vec<Transfer>,
    /// By position.
    pub(crate) exceptions: BTreeMap<usize, ObstacleKind>,
}

impl Follower {
    pub(crate) fn new(side: Side, kinds: &[Kind]) -> Self {
        Self {
            side,
            cursor: 0,
            transfers: kinds.iter().copied().map(Transfer::new).collect(),
            exceptions: BTreeMap::new(),
        }
    }

    /// Applies the row after the cursor; without a change only the cursor moves.
    pub(crate) fn apply(&mut self, change: Option<(usize, Effect)>) {
        self.cursor += 1;
        let Some((transfer, effect)) = change else {
            return;
        };
        let transfer = &mut self.transfers[transfer];
        match transfer.refusal(self.side, effect) {
            Some(why) => {
                self.exceptions.insert(self.cursor, why);
            }
            None => transfer.change(self.side, effect),
        }
    }
}
