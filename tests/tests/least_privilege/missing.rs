//! A right that is missing is told, with its table, and without a password.

use echeck_adapter::dialect::Dialect;
use echeck_proto::returns::v1::WaitLevel::{Applied, Decided};
use echeck_tests::{Worldpay, eventually};

use super::accounts::{App, Database, PASSWORD, Returns, target};
use super::services::{Deployment, refusal_of_adapter, refusal_of_returns};

/// Every right that the file grants, as the service names it. A right on a column is one of
/// its own, unless the whole table has it.
const GRANTED: &str = "SELECT string_agg(privilege, ', ' ORDER BY privilege) FROM ( \
     SELECT privilege_type || ' on ' || table_name AS privilege \
     FROM information_schema.table_privileges WHERE grantee = '{user}' \
     UNION ALL SELECT 'UPDATE (' || column_name || ') on ' || table_name \
     FROM information_schema.column_privileges \
     WHERE grantee = '{user}' AND privilege_type = 'UPDATE') AS granted \
     WHERE privilege <> 'SELECT on _sqlx_migrations'";

#[tokio::test]
async fn the_returns_service_names_every_right_it_lacks_and_the_file_grants_no_other() {
    let returns = Returns::new().await;
    let user = &returns.database.user;
    // Reading which migrations there are comes first.
    let take = format!(
        "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {user}; \
         GRANT SELECT ON _sqlx_migrations TO {user}"
    );
    let said = refusal_of_returns(&returns, &take).await;
    let (_, lacking) = said.split_once("lacks rights: ").unwrap();
    let (lacking, advice) = lacking.split_once(". ").unwrap();
    assert!(advice.contains("postgres_grants.sql"), "{said}");
    let mut lacking: Vec<&str> = lacking.split(", ").collect();
    lacking.sort_unstable();

    returns.grant();
    let granted = returns
        .database
        .value(&GRANTED.replace("{user}", user))
        .await;
    let mut granted: Vec<&str> = granted.split(", ").collect();
    granted.sort_unstable();
    assert_eq!(lacking, granted);
}

#[tokio::test]
async fn the_returns_service_names_a_list_of_migrations_that_it_may_not_read() {
    let returns = Returns::new().await;
    let take = format!(
        "REVOKE ALL ON _sqlx_migrations FROM {}",
        returns.database.user
    );
    let said = refusal_of_returns(&returns, &take).await;
    assert!(
        said.contains("permission denied for table _sqlx_migrations"),
        "{said}"
    );
}

#[tokio::test]
async fn every_table_of_the_returns_database_has_its_rights() {
    let returns = Returns::new().await;
    let _ = refusal_of_returns(
        &returns,
        &format!("REVOKE ALL ON leases FROM {}", returns.database.user),
    )
    .await;
    returns.grant();
    let forgotten = format!(
        "SELECT string_agg(relname, ', ') FROM pg_class WHERE relkind IN ('r', 'p', 'S', 'v', 'm') \
         AND relnamespace = 'public'::regnamespace \
         AND NOT has_table_privilege('{}', oid, 'SELECT')",
        returns.database.user
    );
    assert_eq!(
        returns.database.value(&forgotten).await,
        "",
        "postgres_grants.sql does not name them"
    );
}

#[tokio::test]
async fn an_adapter_without_any_right_says_so_at_its_start() {
    for (name, app, table) in [
        ("gateway-adapter", App::Gateway, "transfers"),
        ("rallypay-adapter", App::RallyPay, "transactions"),
    ] {
        let mariadb = target(app, Dialect::Mysql).await;
        let take = format!("REVOKE ALL PRIVILEGES ON {table} FROM {}", mariadb.user);
        mariadb.run(&take).await;
        let said = refusal_of_adapter(name, &mariadb);
        let expected = format!("no table \"{table}\" that this account has a right to");
        assert!(said.contains(&expected), "{said}");

        let take = format!(
            "REVOKE ALL PRIVILEGES ON echeck_cursor FROM {}",
            mariadb.user
        );
        mariadb.run(&take).await;
        let said = refusal_of_adapter(name, &mariadb);
        assert!(
            said.contains("echeck_cursor") && said.contains("rights"),
            "{said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_lacks_a_right_on_mariadb_names_it_and_goes_on_when_it_is_granted() {
    lacking(Dialect::Mysql, Dialect::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_lacks_a_right_on_postgresql_names_it_and_goes_on_when_it_is_granted() {
    lacking(Dialect::Postgres, Dialect::Mysql).await;
}

/// A right, in the words of GRANT, and what the fault says when it is missing.
type Lacking = (&'static str, &'static str, &'static [&'static str]);

const IN_GATEWAY: [Lacking; 4] = [
    ("UPDATE (updated_at)", "transfers", &["transfers", "UPDATE"]),
    ("INSERT", "transfers", &["transfers", "INSERT"]),
    ("SELECT", "echeck_cursor", &["echeck_cursor", "SELECT"]),
    ("UPDATE", "echeck_cursor", &["echeck_cursor", "UPDATE"]),
];

const IN_RALLYPAY: [Lacking; 2] = [
    (
        "UPDATE (status)",
        "transactions",
        &["transactions", "UPDATE"],
    ),
    ("UPDATE", "echeck_cursor", &["echeck_cursor", "UPDATE"]),
];

async fn lacking(gateway: Dialect, rallypay: Dialect) {
    let here = Deployment::start(gateway, rallypay).await;
    // So that the cursor is there and moves.
    here.add("TRfirst", "DEBIT", "SUCCEEDED", "").await;
    let first = Worldpay::new().returned("TRfirst", "R01");
    here.import("worldpay_returns", first, Applied).await;
    let mut payments = 0;
    for (name, database, lacking) in [
        ("gateway", &here.gateway, &IN_GATEWAY[..]),
        ("rallypay", &here.rallypay, &IN_RALLYPAY[..]),
    ] {
        for case in lacking {
            payments += 1;
            one(&here, name, database, case, payments).await;
        }
    }
    here.stop();
}

async fn one(
    here: &Deployment,
    name: &str,
    database: &Database,
    (right, table, told): &Lacking,
    payment: usize,
) {
    let id = format!("TR{payment}");
    here.add(&id, "DEBIT", "SUCCEEDED", "").await;
    let user = &database.user;
    let take = format!("REVOKE {right} ON {table} FROM {user}");
    database.run(&take).await;
    let file = Worldpay::new().returned(&id, "R01");
    here.import("worldpay_returns", file, Decided).await;
    eventually(&format!("{name} lacks {right} on {table}"), || async {
        let fault = here.fault(name).await;
        assert!(!fault.contains(PASSWORD), "{fault}");
        told.iter().all(|word| fault.contains(word)) && fault.contains("lacks a right")
    })
    .await;
    let give = format!("GRANT {right} ON {table} TO {user}");
    database.run(&give).await;
    eventually("the feed goes on", || async {
        let status = format!("SELECT status FROM transactions WHERE transfer_id = '{id}'");
        here.fault(name).await.is_empty() && here.rallypay.value(&status).await == "returned"
    })
    .await;
}
