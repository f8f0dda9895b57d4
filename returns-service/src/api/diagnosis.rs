//! What is available and what is not, on the wire.

use echeck_proto::returns::v1 as proto;
use echeck_proto::timestamp::to_proto as timestamp;
use returns_alerts::diagnosis::{SourceCheck, likely};
use returns_model::check::CheckResult;
use returns_model::incident::{Content, Problem, Subject};

use super::Api;
use super::convert::milliseconds;
use super::errors::{self, ApiError};
use super::page::given;

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
        let checks: Vec<_> = found.iter().map(|found| &found.check).collect();
        let cause = likely(&checks);
        let subject = source.map_or(Subject::Machine, |name| Subject::Source(name.to_owned()));
        let content = cause.map(|cause| Content::of(&Problem::new(subject, cause.clone(), at)));
        let (headline, meaning, to_do) = content.map_or_else(Default::default, |content| {
            (content.headline, content.meaning, content.to_do)
        });
        Ok(proto::DiagnoseResponse {
            at: Some(timestamp(at)),
            healthy: cause.is_none(),
            headline,
            cause: cause
                .map(|cause| cause.kind().to_owned())
                .unwrap_or_default(),
            meaning,
            to_do,
            checks: found.iter().map(check).collect(),
        })
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
