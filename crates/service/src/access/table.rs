//! Who may call what: every method of every service, with the roles that it is for. What is not here
//! cannot be called.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::Role::{self, AdapterClient, Admin, Approver, Health, Importer, Operator, Reader};
use super::{Grant, Merchants};

/// Everybody who looks.
const SEE: &[Role] = &[Reader, Operator, Approver, Admin];
/// And whoever sends files, about files.
const SEE_FILES: &[Role] = &[Reader, Importer, Operator, Approver, Admin];
const IMPORT: &[Role] = &[Importer, Operator, Admin];
const OPERATE: &[Role] = &[Operator, Admin];
const REVIEW: &[Role] = &[Operator, Approver, Admin];
const APPROVE: &[Role] = &[Approver];
const ADMINISTER: &[Role] = &[Admin];
/// The returns service alone.
const FOLLOW: &[Role] = &[AdapterClient];
/// And whoever looks into an adapter.
const SEE_TARGET: &[Role] = &[AdapterClient, Reader, Operator, Admin];
const ANYBODY: &[Role] = &[
    Reader,
    Importer,
    Operator,
    Approver,
    Admin,
    AdapterClient,
    Health,
];
/// What a server offers is for whoever may call any of it.
const EXPLORE: &[Role] = &[Reader, Importer, Operator, Approver, Admin, AdapterClient];

/// Whether a method changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing is changed.
    Read,
    /// Something is changed: the call can be repeated by its `request_id`, and is audited.
    Change,
    /// An adapter's: a batch can be repeated by its positions, and the journal is its audit.
    Follow,
}

/// A method.
#[derive(Debug)]
pub struct MethodRule {
    /// Its path, such as `/echeck.returns.v1.ReturnsService/GetTransfer`.
    pub path: &'static str,
    /// Whether it changes something.
    pub effect: Effect,
    /// Whom it is for.
    pub roles: &'static [Role],
    /// Whether a reader who may see some merchants only may call it: its handler then leaves out
    /// what is another merchant's.
    pub by_merchant: bool,
    /// Whether there are many messages in one direction, so that a call may last.
    pub streaming: bool,
}

impl MethodRule {
    /// Whether it is for somebody who may do this.
    pub fn allows(&self, grant: &Grant) -> bool {
        let has_role = self.roles.iter().any(|role| grant.roles.contains(role));
        has_role && (self.by_merchant || grant.merchants == Merchants::All)
    }

    const fn by_merchant(mut self) -> Self {
        self.by_merchant = true;
        self
    }

    const fn streaming(mut self) -> Self {
        self.streaming = true;
        self
    }
}

const fn read(path: &'static str, roles: &'static [Role]) -> MethodRule {
    MethodRule {
        path,
        effect: Effect::Read,
        roles,
        by_merchant: false,
        streaming: false,
    }
}

const fn change(path: &'static str, roles: &'static [Role]) -> MethodRule {
    MethodRule {
        effect: Effect::Change,
        ..read(path, roles)
    }
}

const fn follow(path: &'static str, roles: &'static [Role]) -> MethodRule {
    MethodRule {
        effect: Effect::Follow,
        ..read(path, roles)
    }
}

/// The table.
pub const RULES: &[MethodRule] = &[
    change("/echeck.returns.v1.ReturnsService/ImportFile", IMPORT).streaming(),
    read("/echeck.returns.v1.ReturnsService/GetImport", SEE_FILES),
    read(
        "/echeck.returns.v1.ReturnsService/ListRejectedLines",
        SEE_FILES,
    ),
    read("/echeck.returns.v1.ReturnsService/ListImports", SEE_FILES),
    read("/echeck.returns.v1.ReturnsService/WatchImport", SEE_FILES).streaming(),
    read("/echeck.returns.v1.ReturnsService/GetReport", SEE_FILES).streaming(),
    read("/echeck.returns.v1.ReturnsService/GetTransfer", SEE).by_merchant(),
    read("/echeck.returns.v1.ReturnsService/BatchGetTransfers", SEE).by_merchant(),
    read("/echeck.returns.v1.ReturnsService/StreamReturns", SEE)
        .by_merchant()
        .streaming(),
    read("/echeck.returns.v1.ReturnsService/GetReturn", SEE).by_merchant(),
    read("/echeck.returns.v1.ReturnsService/ListReturns", SEE).by_merchant(),
    read(
        "/echeck.returns.v1.ReturnsService/ListDishonorableReturns",
        SEE,
    ),
    read("/echeck.returns.v1.ReturnsService/GetHold", SEE),
    read("/echeck.returns.v1.ReturnsService/ListHolds", SEE),
    change("/echeck.returns.v1.ReturnsService/ResolveHold", OPERATE),
    change("/echeck.returns.v1.ReturnsService/RetryHolds", OPERATE),
    read("/echeck.returns.v1.OperationsService/GetStatus", SEE_FILES),
    read("/echeck.returns.v1.OperationsService/VerifyJournal", SEE).streaming(),
    read("/echeck.returns.v1.OperationsService/ListJournal", SEE),
    change("/echeck.returns.v1.OperationsService/AdoptCursor", OPERATE),
    change(
        "/echeck.returns.v1.OperationsService/SkipJournalRows",
        OPERATE,
    ),
    change("/echeck.returns.v1.OperationsService/RetryImport", OPERATE),
    read(
        "/echeck.returns.v1.OperationsService/ListSources",
        SEE_FILES,
    ),
    change("/echeck.returns.v1.OperationsService/RunJob", OPERATE),
    change("/echeck.returns.v1.OperationsService/SetSchedule", OPERATE),
    change("/echeck.returns.v1.OperationsService/PauseSource", OPERATE),
    change("/echeck.returns.v1.OperationsService/ResumeSource", OPERATE),
    read(
        "/echeck.returns.v1.OperationsService/ListJobRuns",
        SEE_FILES,
    ),
    read("/echeck.returns.v1.OperationsService/GetJobRun", SEE_FILES),
    change(
        "/echeck.returns.v1.OperationsService/ReleaseToSettlement",
        OPERATE,
    ),
    read("/echeck.returns.v1.OperationsService/Diagnose", SEE),
    read("/echeck.returns.v1.OperationsService/ListAudit", REVIEW),
    read("/echeck.returns.v1.OperationsService/ListProposals", REVIEW),
    change(
        "/echeck.returns.v1.OperationsService/ApproveProposal",
        APPROVE,
    ),
    change(
        "/echeck.returns.v1.OperationsService/RejectProposal",
        REVIEW,
    ),
    read("/echeck.returns.v1.OperationsService/GetLogFilter", REVIEW),
    change(
        "/echeck.returns.v1.OperationsService/SetLogFilter",
        ADMINISTER,
    ),
    read("/echeck.returns.v1.IncidentService/ListIncidents", SEE),
    read("/echeck.returns.v1.IncidentService/GetIncident", SEE),
    change(
        "/echeck.returns.v1.IncidentService/AcknowledgeIncident",
        OPERATE,
    ),
    change("/echeck.returns.v1.IncidentService/CloseIncident", OPERATE),
    change("/echeck.returns.v1.IncidentService/SendTestAlert", OPERATE),
    change(
        "/echeck.returns.v1.WebhookService/CreateEndpoint",
        ADMINISTER,
    ),
    change(
        "/echeck.returns.v1.WebhookService/UpdateEndpoint",
        ADMINISTER,
    ),
    change("/echeck.returns.v1.WebhookService/RotateSecret", ADMINISTER),
    change("/echeck.returns.v1.WebhookService/DisableEndpoint", OPERATE),
    change("/echeck.returns.v1.WebhookService/EnableEndpoint", OPERATE),
    read("/echeck.returns.v1.WebhookService/ListEndpoints", SEE),
    read("/echeck.returns.v1.WebhookService/GetEndpoint", SEE),
    read("/echeck.returns.v1.WebhookService/ListDeliveries", SEE),
    read("/echeck.returns.v1.WebhookService/ListEvents", SEE).by_merchant(),
    change("/echeck.returns.v1.WebhookService/Replay", OPERATE),
    change("/echeck.returns.v1.WebhookService/Recover", OPERATE),
    change("/echeck.returns.v1.WebhookService/SendTestEvent", OPERATE),
    follow("/echeck.adapter.v1.AdapterService/LookupTransfers", FOLLOW),
    follow("/echeck.adapter.v1.AdapterService/ClaimTarget", FOLLOW),
    follow("/echeck.adapter.v1.AdapterService/ApplyUpdates", FOLLOW),
    follow("/echeck.adapter.v1.AdapterService/GetProgress", SEE_TARGET),
    follow("/echeck.adapter.v1.AdapterService/VerifyUpdates", FOLLOW),
    follow("/echeck.adapter.v1.AdapterService/CheckTarget", SEE_TARGET),
    follow("/echeck.adapter.v1.AdapterService/AdoptCursor", FOLLOW),
    read("/grpc.health.v1.Health/Check", ANYBODY).by_merchant(),
    read("/grpc.health.v1.Health/Watch", ANYBODY)
        .streaming()
        .by_merchant(),
    read(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        EXPLORE,
    )
    .streaming()
    .by_merchant(),
    read(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        EXPLORE,
    )
    .streaming()
    .by_merchant(),
];

/// The rule of a method.
pub fn rule(path: &str) -> Option<&'static MethodRule> {
    static BY_PATH: OnceLock<HashMap<&'static str, &'static MethodRule>> = OnceLock::new();
    let by_path = BY_PATH.get_or_init(|| RULES.iter().map(|rule| (rule.path, rule)).collect());
    by_path.get(path).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    use super::*;

    /// The paths of the methods, and whether they stream.
    fn methods_of(descriptors: &[u8]) -> BTreeSet<(String, bool)> {
        let set = FileDescriptorSet::decode(descriptors).unwrap();
        let services = set.file.iter().flat_map(|file| {
            let package = file.package();
            file.service.iter().map(move |service| (package, service))
        });
        services
            .flat_map(|(package, service)| {
                let name = format!("/{package}.{}", service.name());
                service.method.iter().map(move |method| {
                    let streams = method.client_streaming() || method.server_streaming();
                    (format!("{name}/{}", method.name()), streams)
                })
            })
            .collect()
    }

    #[test]
    fn every_method_of_every_service_has_one_row_and_nothing_else_has() {
        let expected: BTreeSet<(String, bool)> = [
            echeck_proto::DESCRIPTOR_SET,
            tonic_health::pb::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
        ]
        .into_iter()
        .flat_map(methods_of)
        .collect();
        let rows = RULES
            .iter()
            .map(|rule| (rule.path.to_owned(), rule.streaming));
        let rows: BTreeSet<(String, bool)> = rows.collect();
        assert_eq!(rows, expected);
        assert_eq!(rows.len(), RULES.len(), "a method has two rows");
    }

    /// How the table of `docs/access.md` begins, which is generated.
    const HEADING: &str = "\n## Who may call what\n";

    fn document() -> String {
        let mut text = "\nBy `ECHECK_REWRITE_GOLDEN=1 cargo test -p echeck-service the_document_is_the_table`.\n\n\
             | method | what it does | roles |\n|---|---|---|\n"
            .to_owned();
        for rule in RULES {
            let effect = match rule.effect {
                Effect::Read => "reads",
                Effect::Change => "changes",
                Effect::Follow => "adapter",
            };
            let limited = if rule.by_merchant {
                ", by merchant"
            } else {
                ""
            };
            let roles: Vec<&str> = rule.roles.iter().map(|role| role.as_str()).collect();
            let (path, roles) = (rule.path.trim_start_matches('/'), roles.join(", "));
            text += &format!("| `{path}` | {effect}{limited} | {roles} |\n");
        }
        text
    }

    #[test]
    fn the_document_is_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/access.md");
        let there = std::fs::read_to_string(path).unwrap();
        let (by_hand, shown) = there.split_once(HEADING).unwrap();
        if std::env::var_os("ECHECK_REWRITE_GOLDEN").is_some() {
            std::fs::write(path, format!("{by_hand}{HEADING}{}", document())).unwrap();
        } else {
            assert!(shown == document(), "docs/access.md is not up to date");
        }
    }

    #[test]
    fn only_what_reads_is_for_readers() {
        for rule in RULES {
            let is_read = rule.effect == Effect::Read || rule.roles == SEE_TARGET;
            assert!(is_read || !rule.roles.contains(&Reader), "{}", rule.path);
            assert!(is_read || !rule.roles.contains(&Health), "{}", rule.path);
            assert!(is_read || !rule.by_merchant, "{}", rule.path);
        }
    }
}
