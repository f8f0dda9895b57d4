//! `echeck journal`: the proof that the journal is sound, and its rows.

use echeck_proto::returns::v1 as proto;
use indicatif::ProgressBar;

use super::connect::{operations, request};
use super::{AdoptArguments, Common, Failure, JournalAction, exit, json};
use crate::output::print_line;

pub(super) async fn run(action: JournalAction) -> Result<u8, Failure> {
    match action {
        JournalAction::Verify { common } => verify(&common).await,
        JournalAction::Show {
            after,
            limit,
            common,
        } => show(after, limit, &common).await,
        JournalAction::Adopt(arguments) => adopt(arguments).await,
    }
}

async fn verify(common: &Common) -> Result<u8, Failure> {
    let mut client = operations(common).await?;
    let ask = request(common, proto::VerifyJournalRequest {});
    let mut messages = client.verify_journal(ask).await?.into_inner();
    let bar = if common.json {
        ProgressBar::hidden()
    } else {
        ProgressBar::new(0)
    };
    let mut verdict = None;
    while let Some(message) = messages.message().await? {
        bar.set_length(message.head_position);
        bar.set_position(message.checked);
        if message.done {
            verdict = Some(message);
        }
    }
    bar.finish_and_clear();
    let verdict = verdict
        .ok_or_else(|| anyhow::anyhow!("the service stopped before it had checked all rows"))?;
    if common.json {
        let object = serde_json::json!({
            "checked": verdict.checked,
            "head_position": verdict.head_position,
            "sound": verdict.sound,
            "faults": verdict.faults,
        });
        print_line(&object.to_string())?;
    } else if verdict.sound {
        print_line(&format!(
            "sound: {} rows, every hash fits, every database stands on a row of this journal",
            verdict.checked
        ))?;
    } else {
        print_line(&format!("NOT sound ({} rows checked):", verdict.checked))?;
        for fault in &verdict.faults {
            print_line(&format!("  {fault}"))?;
        }
    }
    Ok(if verdict.sound {
        exit::FINE
    } else {
        exit::UNSOUND
    })
}

async fn show(after: u64, limit: u32, common: &Common) -> Result<u8, Failure> {
    let ask = proto::ListJournalRequest {
        after_position: after,
        limit,
    };
    let answer = operations(common)
        .await?
        .list_journal(request(common, ask))
        .await?
        .into_inner();
    for row in &answer.rows {
        print_line(&json::journal_row(row).to_string())?;
    }
    Ok(exit::FINE)
}

async fn adopt(arguments: AdoptArguments) -> Result<u8, Failure> {
    let common = &arguments.common;
    let ask = proto::AdoptCursorRequest {
        database: arguments.database.clone(),
        position: arguments.position,
        actor: arguments.actor,
        reason: arguments.reason,
        validate_only: !arguments.yes,
    };
    let answer = operations(common)
        .await?
        .adopt_cursor(request(common, ask))
        .await?
        .into_inner();
    if common.json {
        print_line(&json::adoption(&answer).to_string())?;
        return Ok(exit::FINE);
    }
    let (from, to) = (
        answer.from.unwrap_or_default(),
        answer.to.unwrap_or_default(),
    );
    print_line(&format!("{}'s cursor:", arguments.database))?;
    for (word, point) in [("from", from), ("to", to)] {
        print_line(&format!(
            "  {word:<4}  position {:>10}  hash {:.16}…  journal {}",
            point.position, point.hash, point.journal_id
        ))?;
    }
    print_line(&if arguments.yes {
        format!("adopted; kept as {}", answer.adoption_id)
    } else {
        "nothing was changed; say --yes to do it".to_owned()
    })?;
    Ok(exit::FINE)
}
