//! What is drawn: payments, and a sequence of files about them with what happens in between.

use proptest::prelude::*;
use proptest::sample::select;

/// The most payments of a case that is drawn.
const MOST_PAYMENTS: usize = 4;
/// A payment that nobody knows. Any other number names one of the case's, counted around.
pub const NOBODY: usize = 8;

/// Codes of returns, and of dishonors. R70 is only for a return with R31.
const RETURNS: &[&str] = &["R01", "R02", "R10", "R31"];
const DISHONORS: &[&str] = &["R68", "R69", "R67", "R62", "R70"];

/// A case.
#[derive(Debug, Clone)]
pub struct Case {
    pub payments: Vec<Drawn>,
    pub steps: Vec<Step>,
    /// Whether what can be tried again is given the time for it at the end.
    pub patient: bool,
    pub order: Order,
}

/// A payment of 50.00.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawn {
    pub kind: Kind,
    pub state: State,
    /// Whether a deposit has it, which is what funds a payment in Rainforest's terms.
    pub deposit: bool,
    /// Whether it comes only when a step says so.
    pub late: bool,
    /// Whether RallyPay has it too. What it has not, it refuses.
    pub mirrored: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Debit,
    /// Money for a merchant from a settlement.
    Deposit,
    /// Any other credit.
    Payout,
    Refund,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Pending,
    Succeeded,
    Failed,
    Canceled,
}

/// What happens next. What is not possible is skipped.
#[derive(Debug, Clone)]
pub enum Step {
    /// A NACHA file of returns, dishonors and contests.
    Nacha(Vec<Entry>),
    /// A NACHA file of corrections: each of a payment, with its new account.
    Corrections(Vec<(usize, &'static str)>),
    /// Worldpay's report of returns.
    Worldpay(Vec<Row>),
    /// Worldpay's report of funding that came back.
    FundingRejects(Vec<usize>),
    /// A mapped file of payments that never entered the network.
    ValidationFailures(Vec<usize>),
    /// The bytes of one of the files before, counted around, under another name.
    Again(usize),
    /// The next late payment comes into the databases.
    Appear,
    /// The owner funds a payment that is pending.
    Fund(usize),
    /// The same, while a NACHA file is decided on: it is committed before the file is applied.
    FundMeanwhile(usize, Vec<Entry>),
    /// A person marks so many of the transfers that were made as ready to settle: each time one
    /// that is not marked yet, if there is one.
    Ready(Vec<usize>),
}

/// An entry of a NACHA file.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub payment: usize,
    pub stage: Stage,
    pub wrong_amount: bool,
}

#[derive(Debug, Clone, Copy)]
pub enum Stage {
    Return(&'static str),
    Dishonor(&'static str),
    /// With the code that answers the dishonor before, unless there was none.
    Contest,
    /// With this code, and that of the dishonor that it claims to answer.
    ContestWith(&'static str, &'static str),
}

/// A row of Worldpay's report.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub payment: usize,
    pub code: &'static str,
    pub case: u8,
    pub wrong_amount: bool,
}

/// In which order messages are taken, and which of them again.
#[derive(Debug, Clone)]
pub struct Order {
    /// How far back each message is put among those before it. All zero is the order in which
    /// things happened, which is where shrinking leads.
    back: Vec<u8>,
    /// Which message is taken again, and where.
    again: Vec<(u8, u8)>,
}

impl Order {
    /// Each once, as it happened.
    pub fn as_it_happened() -> Self {
        Self {
            back: Vec::new(),
            again: Vec::new(),
        }
    }

    /// Places from 0 to `count`, each at least once.
    pub fn of(&self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = Vec::new();
        for at in 0..count {
            let back = match self.back.len() {
                0 => 0,
                drawn => usize::from(self.back[at % drawn]) % (order.len() + 1),
            };
            order.insert(order.len() - back, at);
        }
        for (which, place) in self.again.iter().filter(|_| count > 0) {
            let place = usize::from(*place) % (order.len() + 1);
            order.insert(place, usize::from(*which) % count);
        }
        order
    }
}

pub fn any_case() -> impl Strategy<Value = Case> {
    let payments = proptest::collection::vec(any_payment(), 1..=MOST_PAYMENTS);
    let steps = proptest::collection::vec(any_steps(), 1..8);
    let steps = steps.prop_map(|steps| steps.concat());
    let patient = proptest::bool::weighted(0.1);
    (payments, steps, patient, any_order()).prop_map(|(payments, steps, patient, order)| Case {
        payments,
        steps,
        patient,
        order,
    })
}

fn any_order() -> impl Strategy<Value = Order> {
    let back = proptest::collection::vec(any::<u8>(), 1..20);
    let again = proptest::collection::vec(any::<(u8, u8)>(), 0..20);
    (back, again).prop_map(|(back, again)| Order { back, again })
}

fn any_payment() -> impl Strategy<Value = Drawn> {
    let kind = prop_oneof![
        5 => Just(Kind::Debit),
        1 => Just(Kind::Deposit),
        1 => Just(Kind::Payout),
        1 => Just(Kind::Refund),
    ];
    let state = prop_oneof![
        6 => Just(State::Succeeded),
        4 => Just(State::Pending),
        1 => Just(State::Failed),
        1 => Just(State::Canceled),
    ];
    let (late, unmirrored) = (proptest::bool::weighted(0.2), proptest::bool::weighted(0.1));
    (kind, state, any::<bool>(), late, unmirrored).prop_map(
        |(kind, state, deposit, late, unmirrored)| Drawn {
            kind,
            state,
            deposit,
            late,
            mirrored: !unmirrored,
        },
    )
}

/// A payment, or, more seldom, one that nobody knows.
fn which() -> impl Strategy<Value = usize> {
    prop_oneof![9 => 0..MOST_PAYMENTS, 1 => Just(NOBODY)]
}

fn several<T: std::fmt::Debug>(one: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    proptest::collection::vec(one, 1..6)
}

/// Any step, or the whole life of a return.
fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    let life = (any_life(), several(0..8_usize));
    let life = life.prop_map(|(life, ready)| vec![Step::Nacha(life), Step::Ready(ready)]);
    prop_oneof![4 => any_step().prop_map(|step| vec![step]), 1 => life]
}

fn any_step() -> impl Strategy<Value = Step> {
    let correction = (which(), select(vec!["998877665544", "112233445566"]));
    prop_oneof![
        8 => several(any_entry()).prop_map(Step::Nacha),
        4 => several(any_row()).prop_map(Step::Worldpay),
        1 => several(correction).prop_map(Step::Corrections),
        1 => several(which()).prop_map(Step::FundingRejects),
        2 => several(which()).prop_map(Step::ValidationFailures),
        1 => (0..8_usize).prop_map(Step::Again),
        2 => Just(Step::Appear),
        1 => which().prop_map(Step::Fund),
        1 => (which(), several(any_entry()))
            .prop_map(|(payment, entries)| Step::FundMeanwhile(payment, entries)),
        4 => several(0..8_usize).prop_map(Step::Ready),
    ]
}

/// A return with what becomes of it.
fn any_life() -> impl Strategy<Value = Vec<Entry>> {
    let life = (which(), select(RETURNS), select(DISHONORS), 1..=3_usize);
    life.prop_map(|(payment, returned, dishonored, length)| {
        let stages = [
            Stage::Return(returned),
            Stage::Dishonor(dishonored),
            Stage::Contest,
        ];
        let entry = |stage| Entry {
            payment,
            stage,
            wrong_amount: false,
        };
        stages.into_iter().take(length).map(entry).collect()
    })
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let wrong = select(&[("R74", "R69"), ("R71", "R68"), ("R77", "R62")][..]);
    let stage = prop_oneof![
        6 => select(RETURNS).prop_map(Stage::Return),
        4 => select(DISHONORS).prop_map(Stage::Dishonor),
        4 => Just(Stage::Contest),
        1 => wrong.prop_map(|(code, of)| Stage::ContestWith(code, of)),
        1 => Just(Stage::Return("R99")),
    ];
    (which(), stage, proptest::bool::weighted(0.08)).prop_map(|(payment, stage, wrong_amount)| {
        Entry {
            payment,
            stage,
            wrong_amount,
        }
    })
}

fn any_row() -> impl Strategy<Value = Row> {
    let code = select(vec!["R01", "R01", "R03", "R10"]);
    (which(), code, 0..3_u8, proptest::bool::weighted(0.1)).prop_map(
        |(payment, code, case, wrong_amount)| Row {
            payment,
            code,
            case,
            wrong_amount,
        },
    )
}
