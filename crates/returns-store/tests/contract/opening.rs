//! How a store opens, and what it refuses.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use super::*;

on_both! {
    tables_are_only_made_where_that_is_allowed,
    a_newer_version_beside_this_one_stops_nothing,
    two_replicas_may_open_a_new_database_at_once,
}

async fn refused(settings: &StoreSettings) -> String {
    match open(settings, Uuid::from_u128(9)).await {
        Ok(_) => panic!("it must not be opened"),
        Err(StoreError::Unusable(why)) => why,
        Err(other) => panic!("{other}"),
    }
}

/// A database of the same kind without tables.
async fn empty_like(fixture: &Fixture) -> String {
    if fixture.url.starts_with("sqlite:") {
        fixture.url.replace("returns.db", "empty.db")
    } else {
        echeck_test_servers::postgres().await
    }
}

async fn tables_are_only_made_where_that_is_allowed(fixture: Fixture) {
    let url = empty_like(&fixture).await;
    let mut settings = settings(&url);
    settings.migrate = false;
    let why = refused(&settings).await;
    assert!(
        why.contains("0001") && why.contains("database.migrate"),
        "{why}"
    );
    settings.migrate = true;
    open(&settings, Uuid::from_u128(7)).await.unwrap();
    settings.migrate = false;
    open(&settings, Uuid::from_u128(7)).await.unwrap();
}

async fn a_newer_version_beside_this_one_stops_nothing(fixture: Fixture) {
    fixture
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9999, 'of the future', TRUE, '', 1)",
        )
        .await
        .unwrap();
    fixture.again().await.head().await.unwrap();
}

async fn two_replicas_may_open_a_new_database_at_once(fixture: Fixture) {
    let url = empty_like(&fixture).await;
    let settings = settings(&url);
    let (one, two) = tokio::join!(
        open(&settings, Uuid::from_u128(1)),
        open(&settings, Uuid::from_u128(2))
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.head().await.unwrap(), two.head().await.unwrap());
}

#[tokio::test]
async fn a_server_that_forgets_what_it_commits_is_refused() {
    let url = echeck_test_servers::postgres().await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let name = url.rsplit('/').next().unwrap();
    let forget = format!("ALTER DATABASE {name} SET synchronous_commit = off");
    connection.execute(AssertSqlSafe(forget)).await.unwrap();
    let why = refused(&settings(&url)).await;
    assert!(why.contains("synchronous_commit is off"), "{why}");
}

#[tokio::test]
async fn a_failed_login_says_where_and_as_whom_and_never_the_password() {
    let url = echeck_test_servers::postgres().await;
    let with_password = url
        .replace("postgres@", "nobody_such:CANARY@")
        .replace("CANARY", "CAN%41RY");
    let why = refused(&settings(&with_password)).await;
    assert!(
        why.contains("nobody_such") && why.contains("127.0.0.1"),
        "{why}"
    );
    assert!(
        !why.contains("CANARY") && !why.contains("CAN%41RY"),
        "{why}"
    );

    let nowhere = "postgres://ann:CANARY@127.0.0.1:1/returns";
    let why = refused(&settings(nowhere)).await;
    assert!(
        why.contains("127.0.0.1:1") && why.contains("returns"),
        "{why}"
    );
    assert!(!why.contains("CANARY"), "{why}");

    let missing = format!("{url}_not_there");
    let why = refused(&settings(&missing)).await;
    assert!(why.contains("does not exist"), "{why}");
}

/// The rights of a service that may not change the schema, as an operator grants them.
const RIGHTS: &str = include_str!("../../roles/postgres_grants.sql");

#[tokio::test]
async fn an_account_without_the_right_to_change_the_schema_can_do_everything_else() {
    let fixture = Fixture::postgres().await;
    let role = fixture
        .url
        .rsplit('/')
        .next()
        .unwrap()
        .replace('t', "role_");
    let mut owner = PgConnection::connect(&fixture.url).await.unwrap();
    let make = format!(
        "CREATE ROLE {role} LOGIN; {}",
        RIGHTS.replace("echeck_returns", &role)
    );
    sqlx::raw_sql(AssertSqlSafe(make))
        .execute(&mut owner)
        .await
        .unwrap();
    let url = fixture.url.replace("postgres@", &format!("{role}@"));
    let limited = Fixture {
        store: open_at(&url, Uuid::from_u128(8)).await,
        url,
        _folder: None,
    };
    assert!(
        limited.execute("CREATE TABLE more (x INT)").await.is_err(),
        "the account may not change the schema"
    );
    super::journal::what_is_superseded_or_without_effect_no_longer_stands(limited).await;
}

#[tokio::test]
async fn a_server_that_refuses_and_one_that_is_silent_are_told_apart() {
    use std::time::Duration;

    use echeck_test_servers::proxy::Proxy;

    let url = echeck_test_servers::postgres().await;
    let (server, name) = url.rsplit_once('/').unwrap();
    let (host, port) = server.rsplit_once(':').unwrap();
    let proxy = Proxy::start(port.parse().unwrap());
    let through = format!("{host}:{}/{name}", proxy.port());
    let store = open_at(&through, Uuid::from_u128(7)).await;
    store.ping().await.unwrap();

    // What a firewall does that drops packets: no answer within the time that a probe has.
    proxy.hold_up();
    let silent = tokio::time::timeout(Duration::from_millis(900), store.ping()).await;
    assert!(silent.is_err(), "{silent:?}");
    // A connection whose answer was given up is closed by the pool, and by the proxy with it.
    drop(proxy);
    let refused = async {
        loop {
            let asked = tokio::time::timeout(Duration::from_millis(900), store.ping()).await;
            if let Ok(Err(error)) = asked {
                let said = echeck_service::ErrorChain(&error).to_string();
                if said.contains("refused") {
                    return;
                }
            }
        }
    };
    let heard = tokio::time::timeout(Duration::from_secs(30), refused).await;
    assert!(
        heard.is_ok(),
        "it never says that the connection is refused"
    );
}

/// A statement in a transaction fails, and its beginning works each time.
#[tokio::test]
async fn a_statement_that_fails_again_and_again_is_told_by_the_sign_of_life_until_it_works() {
    let fixture = Fixture::postgres().await;
    fixture
        .execute(
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$",
        )
        .await
        .unwrap();
    fixture
        .execute(
            "CREATE TRIGGER no_room BEFORE INSERT ON imports \
             FOR EACH ROW EXECUTE FUNCTION no_room()",
        )
        .await
        .unwrap();
    let store = &fixture.store;
    let receive = async || store.receive(file("one")).await;
    let failing = async {
        while store.ping().await.is_ok() {
            receive().await.unwrap_err();
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
    };
    let told = tokio::time::timeout(std::time::Duration::from_secs(20), failing).await;
    told.expect("the sign of life tells it");
    let why = store.ping().await.unwrap_err().why();
    assert_eq!(why, "its disk is full (could not extend file)");
    let drop = "DROP TRIGGER no_room ON imports";
    fixture.execute(drop).await.unwrap();
    receive().await.unwrap();
    store.ping().await.unwrap();
}
