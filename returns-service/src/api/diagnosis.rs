//! What is available and what is not, on the wire.

use echeck_proto::returns::v1 as proto;
use echeck_proto::timestamp::to_proto as timestamp;
use returns_alerts::diagnosis::{SourceCheck, likely};
use returns_model::check::CheckResult;
use returns_model::incident::{Content, IncidentRecord, IncidentState, Problem, Subject};

use super::Api;
use super::convert::milliseconds;
use super::errors::{self, ApiError};
use super::page::given;

/// The maximum of open incidents that are listed.
const MOST_OPEN: u32 = 100;

impl Api {
    pub(super) async fn diagnose(
        &self,
        request: proto::DiagnoseRequest,
    ) -> Result<proto::DiagnoseResponse, ApiError> {
        let source = given(&request.source);
        if let Some(name) = source
            && !self.decider.sources.contains_key(name)
        {
            return Err(errors::not_found("source", name));
        }
        let at = self.clock.now();
        let found = self.examiner.examine(source).await;
        let (open, _) = self
            .incidents
            .incidents(Some(IncidentState::Open), None, MOST_OPEN)
            .await;
        let open: Vec<IncidentRecord> = open
            .into_iter()
            .filter(|incident| source.is_none_or(|source| is_about(incident, source)))
            .collect();
        let checks: Vec<_> = found.iter().map(|found| &found.check).collect();
        let subject = source.map_or(Subject::Machine, |name| Subject::Source(name.to_owned()));
        let of_checks = likely(&checks).map(|cause| {
            let content = Content::of(&Problem::new(subject, cause.clone(), at));
            (cause.kind().to_owned(), content)
        });
        // What no check can see, such as a file that was rejected.
        let of_incidents = open
            .first()
            .map(|open| (open.cause.clone(), open.content.clone()));
        let told = of_checks.or(of_incidents);
        let healthy = told.is_none();
        let (cause, headline, meaning, to_do) = told
            .map_or_else(Default::default, |(cause, content)| {
                (cause, content.headline, content.meaning, content.to_do)
            });
        Ok(proto::DiagnoseResponse {
            at: Some(timestamp(at)),
            healthy,
            headline,
            cause,
            meaning,
            to_do,
            checks: found.iter().map(check).collect(),
            incidents: open.into_iter().map(open_incident).collect(),
        })
    }
}

/// Whether an incident disturbs a source: its own, one that it shares, or one of no source.
fn is_about(incident: &IncidentRecord, source: &str) -> bool {
    let shared = incident.content.sources.iter().any(|one| one == source);
    shared || incident.source.as_deref().is_none_or(|own| own == source)
}

fn open_incident(incident: IncidentRecord) -> proto::OpenIncident {
    proto::OpenIncident {
        incident_id: incident.incident_id,
        cause: incident.cause,
        subject: incident.subject,
        headline: incident.content.headline,
    }
}

fn check(found: &SourceCheck) -> proto::Check {
    let check = &found.check;
    let (state, evidence, cause) = match &check.result {
        CheckResult::Passed(seen) => (proto::CheckState::Passed, seen.clone(), String::new()),
        CheckResult::Failed(cause) => (
            proto::CheckState::Failed,
            cause.headline(),
            cause.kind().to_owned(),
        ),
        CheckResult::Skipped(why) => (proto::CheckState::Skipped, why.clone(), String::new()),
    };
    proto::Check {
        name: check.name.to_owned(),
        component: check.of.clone(),
        source: found.source.clone().unwrap_or_default(),
        state: state.into(),
        evidence,
        cause,
        took_ms: milliseconds(check.took),
    }
}
