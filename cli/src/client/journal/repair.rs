//! The way past a row that an adapter cannot read, and the adoption of a cursor.

use std::io;

use echeck_proto::returns::v1 as proto;

use super::super::connect::Client;
use super::super::proposals::print_proposed;
use super::{AdoptArguments, SkipArguments};
use crate::failure::Failure;
use crate::output::{Details, counted, grouped, out};

pub(super) async fn skip(arguments: SkipArguments, service: &Client) -> Result<u8, Failure> {
    let SkipArguments {
        database,
        position,
        yes,
        change,
    } = arguments;
    let ask = proto::SkipJournalRowsRequest {
        database: database.clone(),
        position,
        request_id: change.request.request_id,
        reason: change.reason,
        validate_only: !yes,
    };
    let answer = service.operations().skip_journal_rows(ask).await?;
    service.show(&answer.into_inner(), |answer| {
        for row in &answer.rows {
            writeln!(out(), "row {}: {}", row.position, row.why)?;
        }
        let rows = counted(answer.rows.len() as u64, "row", "rows");
        if yes {
            writeln!(
                out(),
                "Skipped {rows} in {database}. See `echeck holds` and `echeck audit`."
            )
        } else {
            writeln!(
                out(),
                "Nothing was changed; repeat the command with --yes to skip {rows}."
            )
        }
    })
}

pub(super) async fn adopt(arguments: AdoptArguments, service: &Client) -> Result<u8, Failure> {
    let AdoptArguments {
        database,
        position,
        yes,
        change,
    } = arguments;
    let ask = proto::AdoptCursorRequest {
        database: database.clone(),
        position,
        request_id: change.request.request_id,
        reason: change.reason,
        validate_only: !yes,
    };
    let answer = service.operations().adopt_cursor(ask).await?.into_inner();
    service.show(&answer, |answer| print_adoption(&database, answer))
}

fn print_adoption(database: &str, answer: &proto::AdoptCursorResponse) -> io::Result<()> {
    if !answer.proposal_id.is_empty() {
        return print_proposed(&answer.proposal_id);
    }
    writeln!(out(), "The cursor of {database}:")?;
    let mut details = Details::new();
    for (word, cursor) in [
        ("from", &answer.previous_cursor),
        ("to", &answer.new_cursor),
    ] {
        let cursor = cursor.clone().unwrap_or_default();
        let (position, hash) = (grouped(cursor.position), cursor.row_hash);
        let journal = cursor.journal_id;
        details.add(
            word,
            format!("position {position}, hash {hash:.16}…, journal {journal}"),
        );
    }
    details.print()?;
    match answer.adoption_id.as_str() {
        "" => writeln!(
            out(),
            "Nothing was changed; repeat the command with --yes to do it."
        ),
        id => writeln!(out(), "Adopted; recorded as {id}."),
    }
}
