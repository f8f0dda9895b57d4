//! The cases. Each is a promise of docs/adapter.md, and leaves the target at the end of the journal.

mod batches;
mod compare;
mod payments;

use self::batches::{
    blocked, claimed_once, empty_step, gap, introduction, missing, no_match, other_database,
    other_journal, other_past, other_version, scattered,
};
use self::payments::WithPayment;
use super::journal::Journal;
use super::{Payments, Verdict};

type Outcome = Result<(), String>;

/// Tries every case, in an order in which the cheap ones come first.
pub(super) async fn try_all(
    mut journal: Journal,
    Payments {
        pending,
        funded,
        funded_amount_minor,
    }: Payments,
) -> Vec<(&'static str, Verdict)> {
    let mut pending = pending.into_iter();
    let mut verdicts = Vec::new();
    let journal = &mut journal;
    let mut add = |case, outcome: Outcome| {
        verdicts.push((
            case,
            outcome.map_or_else(Verdict::Fails, |()| Verdict::Holds),
        ));
    };
    add(
        "it says its target and the version of the contract",
        introduction(journal),
    );
    add("it is claimed once", claimed_once(journal).await);
    add(
        "an empty step moves the cursor alone",
        empty_step(journal).await,
    );
    add("a gap is refused", gap(journal).await);
    add("another journal is refused", other_journal(journal).await);
    add(
        "the same journal with another past is refused",
        other_past(journal).await,
    );
    add(
        "a batch for another database is refused",
        other_database(journal).await,
    );
    add(
        "another version of the contract is refused",
        other_version(journal).await,
    );
    add("positions follow one another", scattered(journal).await);
    add(
        "a payment that is missing is an exception",
        missing(journal).await,
    );
    add(
        "a blocked step is an exception with the reason that it came with",
        blocked(journal).await,
    );
    add(
        "a key without a match finds nothing",
        no_match(journal).await,
    );
    for (with_payment, payment) in [
        (WithPayment::Returned, pending.next()),
        (WithPayment::Repeated, pending.next()),
        (WithPayment::LostAnswer, pending.next()),
        (WithPayment::Failed, pending.next()),
        (WithPayment::Reversed, funded),
    ] {
        let verdict = match payment {
            None => Verdict::LeftOut(with_payment.needs()),
            Some(payment) => match with_payment
                .outcome(journal, &payment, funded_amount_minor)
                .await
            {
                Ok(()) => Verdict::Holds,
                Err(why) => Verdict::Fails(why),
            },
        };
        verdicts.push((with_payment.promise(), verdict));
    }
    verdicts
}
