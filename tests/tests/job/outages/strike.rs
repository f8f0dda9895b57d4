//! What breaks while the job runs.

use std::io::Write as _;
use std::process::Command;

use echeck::stack::Service;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use super::Outage;
use super::prepare::{DISK_KIB, FILE, good_file};
use super::props::Props;
use crate::running::Job;
use crate::setup::Credentials;

const READ_ONLY: &str = "SET default_transaction_read_only = on";

/// Breaks what breaks while the job runs.
pub(super) async fn strike(outage: Outage, job: &mut Job, props: &mut Props) {
    let databases = job.setup.databases.clone();
    let [returns, gateway, rallypay] = [
        databases.returns_db,
        databases.gateway_db,
        databases.rallypay_db,
    ]
    .map(Option::unwrap);
    match outage {
        // The next morning the acquirer still shows it.
        Outage::OnlyAStaleFile => job.setup.publish(FILE, good_file()),
        // Nothing answers on its port any more.
        Outage::DatabaseDown
        | Outage::TargetDown
        | Outage::GatewayDown
        | Outage::BucketDown
        | Outage::BucketDownAtRest => {
            drop(props.proxy.take());
        }
        Outage::DatabaseSilent
        | Outage::TargetSilent
        | Outage::AdapterFrozen
        | Outage::BucketSilent => props.proxy.as_ref().unwrap().hold_up(),
        Outage::AdapterDown => {
            let stopped = job.stack.stop_service(Service::RallypayAdapter).await;
            stopped.unwrap();
        }
        Outage::DatabaseReadOnly => change(&returns, READ_ONLY).await,
        Outage::TargetReadOnly => change(&rallypay, READ_ONLY).await,
        // The end of the journal, as a change of the schema does.
        Outage::DatabaseLocked => props.postgres = Some(lock(&returns, "journal_head").await),
        Outage::DatabaseRowLocked => {
            let mut session = sqlx::PgConnection::connect(&returns).await.unwrap();
            let sql = sqlx::raw_sql("BEGIN; SELECT FROM journal_head FOR UPDATE");
            session.execute(sql).await.unwrap();
            props.postgres = Some(session);
        }
        Outage::DatabaseTableLocked => props.postgres = Some(lock(&returns, "imports").await),
        Outage::TargetTableLocked => props.postgres = Some(lock(&rallypay, "transactions").await),
        Outage::GatewayTableLocked => {
            let mut session = sqlx::MySqlConnection::connect(&gateway).await.unwrap();
            let sql = sqlx::raw_sql("LOCK TABLES transfers WRITE");
            session.execute(sql).await.unwrap();
            props.mariadb = Some(session);
        }
        Outage::DatabaseWithoutSlot
        | Outage::DatabaseRightTaken
        | Outage::DatabaseRunsRightTaken
        | Outage::DatabaseNoLogIn
        | Outage::DatabaseTimesOut => {
            let role = props.role.as_ref().unwrap();
            let (_, name) = returns.rsplit_once('/').unwrap();
            let (server, _) = rallypay.rsplit_once('/').unwrap();
            let database = format!("{server}/{name}");
            let limit = match outage {
                Outage::DatabaseWithoutSlot => format!("ALTER ROLE {role} CONNECTION LIMIT 0"),
                Outage::DatabaseTimesOut => format!("ALTER ROLE {role} SET statement_timeout = 1"),
                Outage::DatabaseRightTaken => format!("REVOKE UPDATE ON liveness FROM {role}"),
                Outage::DatabaseNoLogIn => format!("ALTER ROLE {role} NOLOGIN"),
                _ => format!("REVOKE INSERT ON job_runs FROM {role}"),
            };
            postgres(&database, &limit).await;
            // Who is in stays in, as after a change of the password.
            if outage != Outage::DatabaseNoLogIn {
                end_sessions(&database).await;
            }
        }
        Outage::DatabaseClosed => change(&returns, "ALLOW_CONNECTIONS false").await,
        Outage::TargetTableGone => postgres(&rallypay, "DROP TABLE transactions").await,
        Outage::TargetRefuses => {
            let sql = "ALTER TABLE transactions ADD CONSTRAINT no_returns \
                       CHECK (failure_code IS NULL)";
            postgres(&rallypay, sql).await;
        }
        Outage::GatewayRefuses => {
            let mut session = sqlx::MySqlConnection::connect(&gateway).await.unwrap();
            let sql = "ALTER TABLE transfers ADD CONSTRAINT no_reversals \
                       CHECK (type <> 'REVERSAL')";
            session.execute(sqlx::raw_sql(sql)).await.unwrap();
        }
        Outage::TargetEmptied => {
            let sql = "DELETE FROM echeck_identity; DELETE FROM echeck_cursor";
            postgres(&rallypay, sql).await;
        }
        Outage::TargetSwapped => {
            let sql = "UPDATE echeck_identity SET database_name = 'gateway'";
            postgres(&rallypay, sql).await;
        }
        Outage::TargetOfAnotherInstallation => {
            let sql = "UPDATE echeck_identity SET journal_id = \
                       '018f3f1e-0000-7000-8000-000000000001'";
            postgres(&rallypay, sql).await;
        }
        Outage::KeyFileGone | Outage::KeyFileGarbled => {
            let Credentials::Key(file) = &job.setup.credentials else {
                panic!("a key");
            };
            match outage {
                Outage::KeyFileGone => std::fs::remove_file(file).unwrap(),
                _ => std::fs::write(file, "not a key").unwrap(),
            }
        }
        Outage::FolderGone => std::fs::remove_dir_all(job.setup.beat()).unwrap(),
        Outage::DatabaseDiskFull => {
            let server = props.server.as_ref().unwrap();
            let mut file = std::fs::File::create(server.data().join("other")).unwrap();
            let full = (0..DISK_KIB / 4).any(|_| file.write_all(&[0; 4_096]).is_err());
            assert!(full, "the disk has no more than {DISK_KIB} KiB");
        }
        Outage::DiskWithoutInodes => {
            let spool = job.setup.folder.path().join("spool");
            let mut files = (0..1_000).map(|n| spool.join(format!("other-{n}")));
            let full = files.any(|file| std::fs::write(file, "").is_err());
            assert!(full, "the disk has room for a thousand files");
        }
        Outage::SpoolGone => {
            let spool = job.setup.folder.path().join("spool");
            std::fs::remove_dir_all(spool).unwrap();
        }
        Outage::SpoolReadOnly => {
            let spool = job.setup.folder.path().join("spool");
            let mut mount = Command::new("mount");
            let status = mount.args(["-o", "remount,ro"]).arg(spool).status();
            assert!(status.unwrap().success());
        }
        _ => {}
    }
}

pub(super) async fn postgres(url: &str, sql: &str) {
    let mut session = sqlx::PgConnection::connect(url).await.unwrap();
    let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
    session.execute(sql).await.unwrap();
}

/// Locks a table, as a change of the schema does.
async fn lock(url: &str, table: &str) -> sqlx::PgConnection {
    let mut session = sqlx::PgConnection::connect(url).await.unwrap();
    let sql = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
    let sql = sqlx::raw_sql(AssertSqlSafe(sql));
    session.execute(sql).await.unwrap();
    session
}

/// Changes a PostgreSQL database, and ends the connections that began before.
async fn change(url: &str, how: &str) {
    let (server, name) = url.rsplit_once('/').unwrap();
    let change = format!("ALTER DATABASE {name} {how}");
    postgres(&format!("{server}/postgres"), &change).await;
    end_sessions(url).await;
}

/// Ends the connections to a PostgreSQL database.
async fn end_sessions(url: &str) {
    let (server, name) = url.rsplit_once('/').unwrap();
    let end =
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    postgres(&format!("{server}/postgres"), &end).await;
}
