//! Returns that our bank may dishonor.

use ach::calendar::banking_days_between;
use ach::dishonor::DishonorGround;
use ach::money::Money;
use chrono::{DateTime, NaiveDate, Utc};
use echeck_proto::returns::v1 as proto;
use echeck_proto::timestamp::to_proto as timestamp;
use returns_model::dishonor::{DishonorFilter, DishonorPlace, DishonorRecord};

use super::errors::ApiError;
use super::filter::Filters;
use super::{Api, answer, convert, page};

impl Api {
    pub(super) async fn list_dishonorable_returns(
        &self,
        request: proto::ListDishonorableReturnsRequest,
    ) -> Result<proto::ListDishonorableReturnsResponse, ApiError> {
        let size = page::size(request.page_size);
        let today = eastern_day(self.clock.now());
        let filter = DishonorFilter {
            open_on: request.open_only.then_some(today),
            import_id: page::given(&request.import_id).map(str::to_owned),
            transfer_id: page::given(&request.transfer_id).map(str::to_owned),
        };
        let after: Option<DishonorPlace> = page::place(&request.page_token)?;
        // No file has more entries than the database's integers can count.
        if after
            .as_ref()
            .is_some_and(|(_, _, ordinal)| i64::try_from(*ordinal).is_err())
        {
            return Err(page::not_a_token());
        }
        let found = self.store.dishonorable(&filter, after, size).await?;
        if found.is_empty() && request.page_token.is_empty() {
            let filters = Filters {
                import_id: &request.import_id,
                ..Filters::default()
            };
            self.check_filters(filters).await?;
        }
        let place = |DishonorRecord { mark, .. }: &DishonorRecord| {
            (mark.ground.last_day, mark.import_id.clone(), mark.ordinal)
        };
        let end = page::next(&found, size, place);
        let (dishonorable_returns, next_page_token) =
            answer::page(found, end, place, |one| Some(dishonorable(&one, today)));
        Ok(proto::ListDishonorableReturnsResponse {
            dishonorable_returns,
            next_page_token,
        })
    }

    /// Adds to returns why they may be dishonored.
    pub(super) async fn add_grounds(
        &self,
        returns: &mut [proto::AchReturn],
    ) -> Result<(), ApiError> {
        let return_ids: Vec<String> = returns
            .iter()
            .map(|found| found.ach_return_id.clone())
            .collect();
        let marks = self.store.dishonorable_returns(&return_ids).await?;
        for found in returns {
            let of_it = marks
                .iter()
                .find(|one| one.mark.return_id.as_deref() == Some(&found.ach_return_id));
            found.dishonor_grounds = of_it.map(grounds).unwrap_or_default();
        }
        Ok(())
    }
}

/// The day it is where the ACH operators are: theirs ends a banking day.
fn eastern_day(now: DateTime<Utc>) -> NaiveDate {
    now.with_timezone(&chrono_tz::America::New_York)
        .date_naive()
}

fn dishonorable(record: &DishonorRecord, today: NaiveDate) -> proto::DishonorableReturn {
    let mark = &record.mark;
    let left = banking_days_between(today, mark.ground.last_day);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    proto::DishonorableReturn {
        grounds: grounds(record),
        last_day: mark.ground.last_day.to_string(),
        // Years of banking days fit; the ends are for dates that no file can mean.
        banking_days_left: i32::try_from(left).unwrap_or(if left < 0 {
            i32::MIN
        } else {
            i32::MAX
        }),
        return_code: mark.return_code.clone(),
        amount_minor: mark.amount.map(Money::minor),
        currency: mark.amount.map(convert::currency).unwrap_or_default(),
        transfer_id: text(&mark.transfer_id),
        ach_return_id: text(&mark.return_id),
        hold_id: text(&mark.hold_id),
        settlement_date: mark
            .settled_on
            .map(|day| day.to_string())
            .unwrap_or_default(),
        import_id: mark.import_id.clone(),
        line: mark.line,
        marked_at: Some(timestamp(record.marked_at)),
    }
}

fn grounds(record: &DishonorRecord) -> Vec<proto::DishonorGround> {
    std::iter::once(&record.mark.ground)
        .chain(&record.mark.others)
        .map(ground)
        .collect()
}

fn ground(ground: &DishonorGround) -> proto::DishonorGround {
    proto::DishonorGround {
        code: ground.code.to_string(),
        fields: ground.fields.clone(),
        last_day: ground.last_day.to_string(),
        explanation: ground.why.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_that_of_the_eastern_united_states() {
        let at = |text: &str| {
            let utc: DateTime<Utc> = text.parse().unwrap();
            eastern_day(utc).to_string()
        };
        assert_eq!(at("2026-11-25T04:59:59Z"), "2026-11-24");
        assert_eq!(at("2026-11-25T05:00:00Z"), "2026-11-25");
        assert_eq!(at("2026-07-02T04:00:00Z"), "2026-07-02");
    }
}
