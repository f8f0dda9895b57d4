//! The returns database does not answer: that is an incident itself, and the others go on.

use echeck_test_fixtures::settings;
use returns_model::incident::{AlertState, IncidentState};
use returns_store::open;
use sqlx::{Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

use super::*;

/// A returns database on PostgreSQL that can be cut off.
struct Database {
    name: String,
    url: String,
    operator: PgConnection,
}

impl Database {
    async fn new() -> (Self, Arc<dyn Store>) {
        let url = echeck_test_servers::postgres().await;
        let name = url.rsplit('/').next().unwrap().to_owned();
        let server = echeck_test_servers::server("ECHECK_TEST_POSTGRES");
        let operator = PgConnection::connect(&format!("{server}/postgres")).await;
        let database = Self {
            name,
            url,
            operator: operator.unwrap(),
        };
        let store = database.open().await;
        (database, store)
    }

    async fn open(&self) -> Arc<dyn Store> {
        open(&settings(&self.url), Uuid::from_u128(7))
            .await
            .unwrap()
    }

    async fn run(&mut self, sql: String) {
        let sql = sqlx::AssertSqlSafe(sql);
        self.operator.execute(sql).await.unwrap();
    }

    /// Ends every connection and takes no new one.
    async fn cut_off(&mut self) {
        let name = self.name.clone();
        self.run(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
            .await;
        self.run(format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        ))
        .await;
    }

    async fn mend(&mut self) {
        let name = self.name.clone();
        self.run(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
            .await;
    }
}

fn store_down() -> Problem {
    let cause = Cause::StoreUnreachable { why: "gone".into() };
    Problem::new(Subject::Store, cause, now())
}

#[tokio::test]
async fn without_the_database_alerts_leave_and_everything_is_written_down_afterwards() {
    let (mut database, store) = Database::new().await;
    let ops = HttpReceiver::start().await;
    let rig = Rig::start(&store, &slack("ops", &ops));
    rig.report(port_closed());
    receives(&ops, 1).await;
    database.cut_off().await;

    let failed = tokio::time::Instant::now();
    rig.incidents.report(store_down());
    receives(&ops, 2).await;
    assert!(failed.elapsed() < Duration::from_secs(10));
    assert_eq!(
        first_lines(&ops)[1],
        "The returns database is unavailable: gone."
    );
    rig.incidents.report(store_down());
    // What was open before ends meanwhile, and is told.
    rig.pass(60);
    rig.clear(Area::Reach);
    receives(&ops, 3).await;
    assert!(rig.manager.is_away());
    let (listed, alerts) = rig.manager.incidents(None, None, 9).await;
    assert_eq!(
        (listed.len(), alerts.len()),
        (2, 3),
        "all are listed from memory"
    );
    let down = listed.iter().find(|one| one.subject == "store").unwrap();
    let id = down.incident_id.clone();
    rig.manager.acknowledge(&id, "ann", "on it").await.unwrap();
    receives(&ops, 4).await;

    database.mend().await;
    eventually("it is written down", async || !rig.manager.is_away()).await;
    let incidents = rig.incidents().await;
    assert_eq!(incidents.len(), 2);
    let reach = incidents
        .iter()
        .find(|one| one.area == Area::Reach)
        .unwrap();
    assert_eq!(reach.state, IncidentState::Closed);
    let kept = incidents
        .iter()
        .find(|one| one.area == Area::Store)
        .unwrap();
    assert_eq!((kept.incident_id.as_str(), kept.seen), (id.as_str(), 2));
    assert_eq!(kept.opened_at, now(), "opened when it was met");
    assert_eq!(kept.acknowledged.as_ref().unwrap().by, "ann");
    eventually("all are recorded as sent", async || {
        let alerts = rig.alerts().await;
        alerts.iter().all(|one| one.state == AlertState::Sent)
    })
    .await;
    assert_eq!(rig.alerts().await.len(), 4);
    let events = store.incident_events(&id).await.unwrap();
    let what: Vec<&str> = events.iter().map(|event| event.what.as_str()).collect();
    assert_eq!(what, ["opened", "diagnosed", "acknowledged"]);

    rig.incidents
        .clear(Subject::Store, Area::Store, rig.clock.now());
    receives(&ops, 5).await;
    rig.stop().await;
}

#[tokio::test]
async fn a_database_that_hangs_does_not_hold_up_an_alert() {
    let (mut database, store) = Database::new().await;
    let ops = HttpReceiver::start().await;
    let rig = Rig::start(&store, &slack("ops", &ops));
    rig.report(Cause::HostNotFound { host: "x".into() });
    receives(&ops, 1).await;
    // Somebody locks the tables and goes away.
    let mut owner = PgConnection::connect(&database.url).await.unwrap();
    owner
        .execute("BEGIN; LOCK TABLE incidents, alerts")
        .await
        .unwrap();
    let failed = tokio::time::Instant::now();
    rig.report(port_closed());
    receives(&ops, 2).await;
    assert!(failed.elapsed() < Duration::from_secs(10));
    owner.execute("ROLLBACK").await.unwrap();
    eventually("it is written down", async || {
        rig.incidents().await.len() == 2
    })
    .await;
    receives(&ops, 2).await;
    database.run("SELECT 1".to_owned()).await;
    rig.stop().await;
}

#[tokio::test]
async fn two_replicas_that_met_the_same_without_the_database_end_with_one_open_incident() {
    let (mut database, store) = Database::new().await;
    let other = database.open().await;
    let ops = HttpReceiver::start().await;
    let (a, b) = (
        Rig::start(&store, &slack("ops", &ops)),
        Rig::start(&other, &slack("ops", &ops)),
    );
    eventually("both are at work", async || {
        !a.manager.is_away() && !b.manager.is_away()
    })
    .await;
    database.cut_off().await;
    a.incidents.report(store_down());
    b.pass(1);
    b.incidents.report(Problem {
        at: b.clock.now(),
        ..store_down()
    });
    receives(&ops, 2).await;
    database.mend().await;
    eventually("both are back", async || {
        !a.manager.is_away() && !b.manager.is_away() && a.incidents().await.len() == 2
    })
    .await;
    let incidents = a.incidents().await;
    let open: Vec<_> = incidents
        .iter()
        .filter(|one| one.state == IncidentState::Open)
        .collect();
    assert_eq!(open.len(), 1, "{incidents:?}");
    assert_eq!(open[0].seen, 2, "both meetings count");
    let closed = incidents
        .iter()
        .find(|one| one.state == IncidentState::Closed);
    let note = &closed.unwrap().closed.as_ref().unwrap().note;
    assert_eq!(*note, format!("merged into {}", open[0].incident_id));

    // Either may end it, and it is told once.
    eventually("a knows of it", async || {
        a.manager.log().memory.open().len() == 1
    })
    .await;
    a.pass(10);
    a.incidents
        .clear(Subject::Store, Area::Store, a.clock.now());
    receives(&ops, 3).await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test]
async fn the_watch_reports_a_database_that_refuses_twice_and_clears_it_when_it_answers() {
    let (mut database, store) = Database::new().await;
    let (incidents, mut signals) = IncidentReporter::new();
    let watch = StoreWatch::new(store, incidents, Arc::new(ManualClock::new(now())));
    watch.probe().await.unwrap();
    assert!(
        matches!(signals.try_recv(), Ok(Signal::Clear { .. })),
        "at the start"
    );
    watch.probe().await.unwrap();
    assert!(signals.try_recv().is_err(), "said once");
    database.cut_off().await;
    watch.probe().await.unwrap_err();
    assert!(watch.is_up());
    assert!(signals.try_recv().is_err(), "once may be a hiccup");
    watch.probe().await.unwrap_err();
    assert!(!watch.is_up());
    let Ok(Signal::Problem(problem)) = signals.try_recv() else {
        panic!("it is down");
    };
    assert_eq!(problem.subject, Subject::Store);
    assert_eq!(problem.cause.kind(), "STORE_UNREACHABLE");
    database.mend().await;
    eventually("it is up", async || {
        watch.probe().await.is_ok() && watch.is_up()
    })
    .await;
    let Ok(Signal::Clear { subject, area, .. }) = signals.try_recv() else {
        panic!("it is up");
    };
    assert_eq!((subject, area), (Subject::Store, Area::Store));
}

#[tokio::test]
async fn the_watch_takes_a_slow_second_for_no_outage_but_silence_for_one() {
    let url = echeck_test_servers::postgres().await;
    let (server, name) = url.rsplit_once('/').unwrap();
    let (server, port) = server.rsplit_once(':').unwrap();
    let proxy = echeck_test_servers::proxy::Proxy::start(port.parse().unwrap());
    let url = format!("{server}:{}/{name}", proxy.port());
    let store = open(&settings(&url), Uuid::from_u128(7)).await.unwrap();
    let (incidents, mut signals) = IncidentReporter::new();
    let watch = StoreWatch::new(store, incidents, Arc::new(ManualClock::new(now())));
    watch.probe().await.unwrap();
    assert!(matches!(signals.try_recv(), Ok(Signal::Clear { .. })));
    proxy.hold_up();
    for _ in 0..3 {
        watch.probe().await.unwrap();
        assert!(watch.is_up() && signals.try_recv().is_err());
    }
    let why = watch.probe().await.unwrap_err();
    assert!(why.contains("does not answer within 900 ms"), "{why}");
    assert!(!watch.is_up());
    assert!(matches!(signals.try_recv(), Ok(Signal::Problem(_))));
}
