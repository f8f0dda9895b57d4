//! Everything that the three databases hold, read once the system has drained.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::db::{Cells, Db};
use crate::oracle::{Effect, Reason};
use crate::rig::Rig;

/// A row of the journal.
pub(super) struct Row {
    pub(super) position: u64,
    pub(super) hash: String,
    pub(super) payload: String,
    pub(super) transfer_id: String,
    pub(super) import_id: String,
    pub(super) ordinal: u64,
    /// When it was recorded, in microseconds since 1970.
    pub(super) recorded_micros: u64,
    pub(super) effect: Effect,
    pub(super) supersedes: Option<u64>,
    pub(super) is_repeat: bool,
    /// The earlier row that it says again, to one mirror.
    pub(super) repeats: Option<u64>,
    /// The earlier row that it says more about, to every database.
    pub(super) follows: Option<u64>,
    /// The reversal or restoration that it makes, or says more about.
    pub(super) made: Option<Made>,
    /// The id of the transfer that becomes ready to settle by it.
    pub(super) ready: Option<String>,
}

/// A transfer that a row makes.
pub(super) struct Made {
    pub(super) id: String,
    /// What it undoes.
    pub(super) parent_id: String,
    pub(super) amount_minor: i64,
}

/// An entry that waits, or waited.
pub(super) struct Hold {
    pub(super) hold_id: String,
    pub(super) import_id: String,
    pub(super) ordinal: u64,
    pub(super) reason: Option<Reason>,
    pub(super) state: String,
    /// The database and the row that did not take effect there.
    pub(super) failed: Option<(String, u64)>,
    pub(super) resolved_position: Option<u64>,
    /// Whether it was closed before its import was applied, and so before its report.
    pub(super) closed_before_applied: bool,
}

/// An import.
pub(super) struct Import {
    pub(super) import_id: String,
    pub(super) source: String,
    pub(super) file_name: String,
    pub(super) sha256: String,
    pub(super) spool_name: String,
    pub(super) phase: String,
    pub(super) done: u64,
    pub(super) totals: Value,
}

/// A target.
pub(super) struct Target {
    /// Position and hash of the cursor.
    pub(super) cursor: (u64, String),
    /// By position: the kind, as the target has it.
    pub(super) exceptions: BTreeMap<u64, String>,
}

/// A transfer as the gateway has it.
pub(super) struct Transfer {
    pub(super) state: String,
    /// What it is, in the gateway's words.
    pub(super) kind: String,
    pub(super) subtype: String,
    pub(super) amount_minor: i64,
    pub(super) parent_id: Option<String>,
    pub(super) failure_code: Option<String>,
    pub(super) owner_acted: bool,
    /// Whether it may join a settlement.
    pub(super) is_ready: bool,
    /// How often an adapter changed it.
    pub(super) changes: u64,
}

/// A transaction as the Rails app has it.
pub(super) struct Transaction {
    pub(super) status: String,
    pub(super) failure_code: Option<String>,
    /// Whether what its return made may be settled.
    pub(super) is_ready: bool,
    /// How often an adapter changed it.
    pub(super) changes: u64,
}

/// What of an import is in the bucket, as the returns database says.
#[derive(Default)]
pub(super) struct Filed {
    pub(super) archive: Option<Object>,
    pub(super) report: Option<Object>,
    pub(super) totals_key: String,
    pub(super) rows: u64,
    pub(super) ties_out: bool,
    /// Whether nothing is left to do for it.
    pub(super) done: bool,
}

/// An object of the bucket, as the returns database says.
pub(super) struct Object {
    pub(super) key: String,
    pub(super) sha256: String,
}

/// A run of a source.
pub(super) struct Run {
    pub(super) run_id: String,
    pub(super) source: String,
    pub(super) outcome: Option<String>,
    pub(super) has_ended: bool,
    /// The imports that it tells of.
    pub(super) tells_of: Vec<String>,
}

/// A line of an import by its place.
pub(super) type Place = (String, u64);

/// Everything.
pub(super) struct Snapshot {
    pub(super) journal_id: String,
    pub(super) head: (u64, String),
    pub(super) rows: Vec<Row>,
    pub(super) holds: Vec<Hold>,
    pub(super) duplicates: Vec<Place>,
    pub(super) prenotes: Vec<Place>,
    pub(super) rejected: Vec<Place>,
    pub(super) imports: Vec<Import>,
    /// By import.
    pub(super) filed: HashMap<String, Filed>,
    pub(super) runs: Vec<Run>,
    pub(super) gateway: Target,
    pub(super) rallypay: Target,
    /// What the returns service has heard of exceptions: database, position, kind.
    pub(super) heard: Vec<(String, u64, String)>,
    pub(super) transfers: HashMap<String, Transfer>,
    /// By transfer: those that name it as their parent.
    pub(super) children: HashMap<String, Vec<String>>,
    pub(super) transactions: HashMap<String, Transaction>,
}

/// Reads the cells of one row, in order.
struct Reader(std::vec::IntoIter<Option<String>>);

impl Reader {
    fn of(cells: Cells) -> Self {
        Self(cells.into_iter())
    }

    fn optional(&mut self) -> Option<String> {
        self.0.next().flatten()
    }

    fn text(&mut self) -> Result<String> {
        self.optional().context("a value is NULL")
    }

    fn number(&mut self) -> Result<u64> {
        let text = self.text()?;
        text.parse()
            .with_context(|| format!("{text:?} is no number"))
    }

    fn signed(&mut self) -> Result<i64> {
        let text = self.text()?;
        text.parse()
            .with_context(|| format!("{text:?} is no number"))
    }

    fn object(&mut self) -> Option<Object> {
        let (key, sha256) = (self.optional(), self.optional());
        key.zip(sha256).map(|(key, sha256)| Object { key, sha256 })
    }

    fn optional_number(&mut self) -> Result<Option<u64>> {
        let text = self.optional();
        text.map(|text| {
            text.parse()
                .with_context(|| format!("{text:?} is no number"))
        })
        .transpose()
    }
}

async fn all<T>(db: &Db, sql: &str, read: impl Fn(&mut Reader) -> Result<T>) -> Result<Vec<T>> {
    db.rows(sql)
        .await?
        .into_iter()
        .map(|cells| read(&mut Reader::of(cells)).with_context(|| format!("reading {sql}")))
        .collect()
}

impl Snapshot {
    /// Reads everything.
    pub(super) async fn read(rig: &Rig) -> Result<Self> {
        let head = all(
            &rig.returns,
            "SELECT journal_id, position, hash FROM journal_head",
            |row| {
                Ok((
                    row.text()?,
                    row.number()?,
                    row.optional().unwrap_or_default(),
                ))
            },
        )
        .await?;
        let (journal_id, position, hash) = head.into_iter().next().context("no journal head")?;
        let transfers = transfers(&rig.gateway).await?;
        let mut children: HashMap<String, Vec<String>> = HashMap::new();
        for (id, row) in &transfers {
            if let Some(parent) = &row.parent_id {
                children.entry(parent.clone()).or_default().push(id.clone());
            }
        }
        Ok(Self {
            journal_id,
            head: (position, hash),
            rows: rows(&rig.returns).await?,
            holds: holds(&rig.returns).await?,
            duplicates: places(&rig.returns, "import_duplicates").await?,
            prenotes: places(&rig.returns, "import_prenotes").await?,
            rejected: places(&rig.returns, "import_rejected_lines").await?,
            imports: imports(&rig.returns).await?,
            filed: filed(&rig.returns).await?,
            runs: runs(&rig.returns).await?,
            gateway: target(&rig.gateway).await?,
            rallypay: target(&rig.rallypay).await?,
            heard: all(
                &rig.returns,
                "SELECT name, position, kind FROM follower_exceptions",
                |row| Ok((row.text()?, row.number()?, row.text()?)),
            )
            .await?,
            transfers,
            children,
            transactions: transactions(&rig.rallypay).await?,
        })
    }
}

async fn rows(db: &Db) -> Result<Vec<Row>> {
    let sql = "SELECT position, hash, payload, transfer_id, import_id, supersedes, repeats, \
               CAST(EXTRACT(EPOCH FROM recorded_at) * 1000000 AS BIGINT) \
               FROM journal ORDER BY position";
    all(db, sql, |row| {
        let (position, hash, payload) = (row.number()?, row.text()?, row.text()?);
        let (transfer_id, import_id) = (row.text()?, row.text()?);
        let (supersedes, repeats) = (row.optional_number()?, row.optional_number()?);
        let recorded_micros = row.number()?;
        let said: Value = serde_json::from_str(&payload)?;
        let effect = said["effect"].as_object();
        let (word, with) = effect
            .and_then(|effect| effect.iter().next())
            .context("no effect")?;
        let made = ["reversal", "restoration"].into_iter().find_map(|word| {
            let made = &with[word];
            let id = made["id"].as_str()?.to_owned();
            let parent_id = made["parent_id"].as_str().unwrap_or(&transfer_id);
            Some(Made {
                id,
                parent_id: parent_id.to_owned(),
                amount_minor: said["transfer"]["amount"]["amount_minor"]
                    .as_i64()
                    .unwrap_or_default(),
            })
        });
        let relation = &said["relation"];
        let earlier = |kind| {
            relation["position"]
                .as_u64()
                .filter(|_| relation["kind"] == kind)
        };
        Ok(Row {
            position,
            hash,
            transfer_id,
            import_id,
            recorded_micros,
            ordinal: said["ordinal"].as_u64().context("a row has no ordinal")?,
            effect: Effect::from_word(word).with_context(|| format!("effect {word:?}"))?,
            supersedes,
            is_repeat: repeats.is_some(),
            repeats: earlier("repeats"),
            follows: earlier("follows"),
            made,
            ready: with["made"]["id"].as_str().map(str::to_owned),
            payload,
        })
    })
    .await
}

async fn holds(db: &Db) -> Result<Vec<Hold>> {
    // A change is dated when it is begun, and may wait for a lock for long; so where the database
    // can tell, it counts when the change was committed. Nothing touches a hold once it is closed.
    let closed = match db {
        Db::Postgres(_) => "h.state <> 'open' AND pg_xact_commit_timestamp(h.xmin) < i.applied_at",
        Db::MySql(_) | Db::Sqlite(_) => "h.closed_at < i.applied_at",
    };
    let sql = format!(
        "SELECT h.hold_id, h.import_id, h.ordinal, h.reason, h.state, h.failed_database, \
         h.failed_position, h.resolved_position, CASE WHEN {closed} THEN 1 ELSE 0 END \
         FROM holds h JOIN imports i ON i.import_id = h.import_id"
    );
    all(db, &sql, |row| {
        let (hold_id, import_id, ordinal) = (row.text()?, row.text()?, row.number()?);
        let reason = Reason::from_word(&row.text()?);
        let state = row.text()?;
        let (database, position) = (row.optional(), row.optional_number()?);
        Ok(Hold {
            hold_id,
            import_id,
            ordinal,
            reason,
            state,
            failed: database.zip(position),
            resolved_position: row.optional_number()?,
            closed_before_applied: row.number()? == 1,
        })
    })
    .await
}

async fn places(db: &Db, table: &str) -> Result<Vec<Place>> {
    let sql = format!("SELECT import_id, ordinal FROM {table}");
    all(db, &sql, |row| Ok((row.text()?, row.number()?))).await
}

async fn imports(db: &Db) -> Result<Vec<Import>> {
    let sql = "SELECT import_id, source, file_name, sha256, spool_name, phase, done, totals \
               FROM imports";
    all(db, sql, |row| {
        Ok(Import {
            import_id: row.text()?,
            source: row.text()?,
            file_name: row.text()?,
            sha256: row.text()?,
            spool_name: row.text()?,
            phase: row.text()?,
            done: row.number()?,
            totals: serde_json::from_str(&row.text()?)?,
        })
    })
    .await
}

async fn filed(db: &Db) -> Result<HashMap<String, Filed>> {
    let yes = db.yes();
    let sql = format!(
        "SELECT i.import_id, f.archive_key, f.archive_sha256, f.report_key, f.report_sha256, \
         f.totals_key, COALESCE(f.report_rows, 0), \
         CASE WHEN f.ties_out = {yes} THEN 1 ELSE 0 END, \
         CASE WHEN i.files_done = {yes} THEN 1 ELSE 0 END \
         FROM imports i LEFT JOIN import_files f ON f.import_id = i.import_id"
    );
    let read = all(db, &sql, |row| {
        Ok((
            row.text()?,
            Filed {
                archive: row.object(),
                report: row.object(),
                totals_key: row.optional().unwrap_or_default(),
                rows: row.number()?,
                ties_out: row.number()? == 1,
                done: row.number()? == 1,
            },
        ))
    })
    .await?;
    Ok(read.into_iter().collect())
}

async fn runs(db: &Db) -> Result<Vec<Run>> {
    let sql = "SELECT run_id, source, outcome, \
               CASE WHEN ended_at IS NULL THEN 0 ELSE 1 END, files FROM job_runs";
    all(db, sql, |row| {
        let (run_id, source, outcome) = (row.text()?, row.text()?, row.optional());
        let has_ended = row.number()? == 1;
        let files: Value = match row.optional() {
            Some(text) => serde_json::from_str(&text)?,
            None => Value::Null,
        };
        let ids = files.as_array().into_iter().flatten();
        let ids = ids.filter_map(|file| file["import_id"].as_str().map(str::to_owned));
        Ok(Run {
            run_id,
            source,
            outcome,
            has_ended,
            tells_of: ids.collect(),
        })
    })
    .await
}

async fn target(db: &Db) -> Result<Target> {
    let cursor = all(db, "SELECT position, hash FROM echeck_cursor", |row| {
        Ok((row.number()?, row.text()?))
    })
    .await?;
    let exceptions = all(db, "SELECT position, kind FROM echeck_exceptions", |row| {
        Ok((row.number()?, row.text()?))
    })
    .await?;
    Ok(Target {
        cursor: cursor.into_iter().next().unwrap_or_default(),
        exceptions: exceptions.into_iter().collect(),
    })
}

async fn transfers(db: &Db) -> Result<HashMap<String, Transfer>> {
    let sql = "SELECT t.id, t.state, t.type, t.subtype, t.amount, t.parent_id, t.failure_code, t.fee, \
               CASE WHEN t.ready_to_settle_at IS NULL THEN 0 ELSE 1 END, \
               (SELECT COUNT(*) FROM crash_audit a WHERE a.transfer_id = t.id) FROM transfers t";
    let read = all(db, sql, |row| {
        Ok((
            row.text()?,
            Transfer {
                state: row.text()?,
                kind: row.text()?,
                subtype: row.text()?,
                amount_minor: row.signed()?,
                parent_id: row.optional(),
                failure_code: row.optional(),
                owner_acted: row.number()? > 0,
                is_ready: row.number()? == 1,
                changes: row.number()?,
            },
        ))
    })
    .await?;
    Ok(read.into_iter().collect())
}

async fn transactions(db: &Db) -> Result<HashMap<String, Transaction>> {
    let sql = "SELECT transfer_id, status, failure_code, \
               CASE WHEN reversal_ready_at IS NULL THEN 0 ELSE 1 END, lock_version \
               FROM transactions";
    let read = all(db, sql, |row| {
        Ok((
            row.text()?,
            Transaction {
                status: row.text()?,
                failure_code: row.optional(),
                is_ready: row.number()? == 1,
                changes: row.number()?,
            },
        ))
    })
    .await?;
    Ok(read.into_iter().collect())
}
