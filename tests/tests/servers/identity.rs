//! A target says whose it is. One that is empty or another's is not written to until a person adopts
//! it; one that was restored from a dump of its own goes on by itself.

use echeck_proto::returns::v1 as proto;
use echeck_tests::{Worldpay, eventually};

use super::{Deployment, RETURNED};

/// What undoes in the mirror what was applied to it, as a dump does that is older.
const BEFORE_THE_FIRST_RETURN: &str = "DELETE FROM echeck_cursor; \
     UPDATE transactions SET status = 'succeeded', failure_code = NULL, \
     failure_description = NULL, returned_at = NULL, lock_version = 0";

/// A deployment in which the return of TR1 is applied, and TR2 waits.
async fn with_a_return() -> Deployment {
    let here = Deployment::start().await;
    here.add_debits(&["TR1", "TR2"]).await;
    let file = Worldpay::new().returned("TR1", "R01");
    here.import("1.csv", file, proto::WaitLevel::Applied).await;
    here
}

/// Changes the mirror behind the back of everybody.
async fn change_mirror(here: &Deployment, sql: &str) {
    let address = echeck_tests::address(&here.databases.rallypay_db);
    let mut connection = address.connect().await.unwrap();
    connection.script(sql).await.unwrap();
    connection.close().await.unwrap();
}

async fn is_refused(here: &Deployment, why: &str) {
    eventually("the mirror is refused", || async {
        here.fault("rallypay").await.contains(why)
    })
    .await;
    let file = Worldpay::new().returned("TR2", "R01");
    here.import("2.csv", file, proto::WaitLevel::Decided).await;
    eventually("the gateway has the return", || async {
        here.status().await.databases[0].position >= 2
    })
    .await;
}

async fn adopt(here: &Deployment) -> proto::AdoptCursorResponse {
    let ask = |validate_only| proto::AdoptCursorRequest {
        database: "rallypay".to_owned(),
        position: 0,
        request_id: String::new(),
        reason: "it is the right one".to_owned(),
        validate_only,
    };
    let mut operations = here.operations().await;
    operations.adopt_cursor(ask(true)).await.unwrap();
    assert!(
        !here.fault("rallypay").await.is_empty(),
        "nothing was done yet"
    );
    let adopted = operations.adopt_cursor(ask(false)).await.unwrap();
    adopted.into_inner()
}

async fn has_both_returns(here: &Deployment) {
    eventually("the mirror has both returns", || async {
        here.rallypay(RETURNED).await == "2"
    })
    .await;
    let changes = "SELECT max(lock_version) FROM transactions";
    assert_eq!(here.rallypay(changes).await, "1");
    eventually("the feed is well", || async {
        here.fault("rallypay").await.is_empty()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_without_an_identity_is_not_written_to_until_a_person_adopts_it() {
    let here = with_a_return().await;
    let emptied = format!("{BEFORE_THE_FIRST_RETURN}; DELETE FROM echeck_identity");
    change_mirror(&here, &emptied).await;
    is_refused(
        &here,
        "it has applied nothing, and 1 rows of the journal were applied",
    )
    .await;
    assert_eq!(
        here.rallypay(RETURNED).await,
        "0",
        "nothing is written to it"
    );
    let adopted = adopt(&here).await;
    assert_eq!(adopted.previous_cursor, None);
    has_both_returns(&here).await;
    let adoptions = "SELECT count(*) FROM echeck_adoptions WHERE actor = 'anonymous'";
    assert_eq!(here.rallypay(adoptions).await, "1");
    here.stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_restored_from_its_own_dump_of_before_the_first_return_goes_on_by_itself() {
    let here = with_a_return().await;
    change_mirror(&here, BEFORE_THE_FIRST_RETURN).await;
    let file = Worldpay::new().returned("TR2", "R01");
    here.import("2.csv", file, proto::WaitLevel::Decided).await;
    has_both_returns(&here).await;
    here.stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_known_under_another_name_is_not_written_to() {
    let here = with_a_return().await;
    change_mirror(
        &here,
        "UPDATE echeck_identity SET database_name = 'gateway'",
    )
    .await;
    is_refused(&here, "it is known here as \"gateway\"").await;
    assert_eq!(
        here.rallypay(RETURNED).await,
        "1",
        "nothing is written to it"
    );
    let adopted = adopt(&here).await;
    assert_eq!(
        adopted.new_cursor.unwrap().position,
        1,
        "it stays where it is"
    );
    has_both_returns(&here).await;
    here.stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_of_another_installation_is_not_written_to() {
    let here = with_a_return().await;
    let other = "018f3f1e-0000-7000-8000-000000000001";
    let sql = format!("UPDATE echeck_identity SET journal_id = '{other}'");
    change_mirror(&here, &sql).await;
    is_refused(&here, other).await;
    assert_eq!(
        here.rallypay(RETURNED).await,
        "1",
        "nothing is written to it"
    );
    adopt(&here).await;
    has_both_returns(&here).await;
    here.stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_of_record_that_is_another_database_is_not_even_asked() {
    let here = with_a_return().await;
    let gateway = echeck_tests::address(&here.databases.gateway_db);
    let mut connection = gateway.connect().await.unwrap();
    let sql = "UPDATE echeck_identity SET database_name = 'staging'";
    connection.script(sql).await.unwrap();
    eventually("the gateway is refused", || async {
        here.fault("gateway")
            .await
            .contains("known here as \"staging\"")
    })
    .await;
    let file = Worldpay::new().returned("TR2", "R01");
    let importing = here.import("2.csv", file, proto::WaitLevel::Decided);
    let meanwhile = async {
        eventually("the import waits for the right database", || async {
            let ask = proto::ListImportsRequest::default();
            let imports = here.client().await.list_imports(ask).await.unwrap();
            let mut imports = imports.into_inner().imports.into_iter();
            imports.any(|import| import.fault.contains("is meant"))
        })
        .await;
        assert_eq!(here.status().await.open_holds, 0, "nothing is unknown");
        let sql = "UPDATE echeck_identity SET database_name = 'gateway'";
        connection.script(sql).await.unwrap();
        connection.close().await.unwrap();
    };
    tokio::join!(importing, meanwhile);
    has_both_returns(&here).await;
    here.stack.stop().await.unwrap();
}
