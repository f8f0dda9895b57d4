//! Whether what was applied still shows.

use std::collections::{BTreeSet, HashMap};

use echeck_adapter::batch::{AppliedStep, TransferChange, Update};
use echeck_adapter::dialect::{DbError, TargetSession};
use echeck_adapter::row::TargetRow;

use crate::change::key;
use crate::mapping::RallyPayMapping;
use crate::obstacle::shown;

/// The number of ids that one statement asks for.
const CHUNK: usize = 5_000;

impl RallyPayMapping {
    /// What the app shows instead of each step. A transaction has one status, so only the last
    /// change of it is compared.
    pub(crate) async fn missing(
        &self,
        session: &mut dyn TargetSession,
        steps: &[AppliedStep],
    ) -> Result<Vec<Option<String>>, DbError> {
        let columns = &self.columns;
        let ids: BTreeSet<&str> = steps.iter().map(|step| key(&step.change)).collect();
        let ids: Vec<_> = ids
            .into_iter()
            .filter_map(|id| columns.transfer_id.id(id))
            .collect();
        let mut wanted = vec![&columns.transfer_id, &columns.status];
        wanted.extend(&columns.failure_code);
        wanted.extend(&columns.reversal_ready_at);
        let mut seen: HashMap<String, TargetRow> = HashMap::new();
        for chunk in ids.chunks(CHUNK) {
            let mut rows = self.rows();
            for id in chunk {
                rows.add_row(id.clone(), []);
            }
            let found = session.fetch(rows.select(&wanted, &[])).await?;
            seen.extend(
                found
                    .into_iter()
                    .map(|row| (columns.transfer_id.of(&row).text(), row)),
            );
        }
        let missing = steps.iter().map(|step| {
            let id = key(&step.change);
            let Some(row) = seen.get(id) else {
                return Some(format!("there is no transaction of transfer {id}"));
            };
            match &step.change {
                _ if step.followed => None,
                TransferChange::Update(update) => self.differs(update, row),
                TransferChange::Release(_) => {
                    let ready_at = columns.reversal_ready_at.as_ref()?;
                    let is_missing = ready_at.of(row).is_null();
                    is_missing.then(|| {
                        let ready_at = ready_at.name();
                        format!("the transaction of transfer {id} has no {ready_at}")
                    })
                }
            }
        });
        Ok(missing.collect())
    }

    fn differs(&self, update: &Update, row: &TargetRow) -> Option<String> {
        let (id, columns) = (&update.transfer_id, &self.columns);
        let (status, wanted) = (columns.status.of(row), self.statuses.after(&update.effect)?);
        if !wanted.is_shown(status) {
            return Some(format!(
                "the transaction of transfer {id} has the status {}, not {}",
                shown(status),
                wanted.shown()
            ));
        }
        let code = columns.failure_code.as_ref()?.of(row).text();
        let wanted = &update.reason.code;
        let differs = !wanted.is_empty() && code.trim_end() != wanted;
        differs.then(|| {
            format!("the transaction of transfer {id} does not have the failure code {wanted}")
        })
    }
}
