//! The mapping as configured, and its check against the live table.

use async_trait::async_trait;
use echeck_adapter::batch::{Change, Key};
use echeck_adapter::config::{ColumnNames, identifier, identifiers, parsed};
use echeck_adapter::dialect::{DbError, Session};
use echeck_adapter::identifier::Identifier;
use echeck_adapter::mapping::{Finding, Fitted, LookupError, Mapping, Plan};
use echeck_adapter::schema::{Column, Fitting, TableSchema};
use echeck_adapter::timestamp::TimestampFormat;
use echeck_proto::adapter::v1::{FundingPolicy, Transfer};
use echeck_service::config::Section;

use crate::columns::{Columns, Names};
use crate::layout::{Layouts, Overrides};
use crate::profile::{Profile, States, Types};
use crate::{change, examine, lookup, ready};

/// The gateway's mapping as configured.
#[derive(Debug, Clone)]
pub struct GatewayPlan {
    profile: Profile,
    table: Identifier,
    funding_policy: FundingPolicy,
    format: TimestampFormat,
    names: Names,
    states: States,
    types: Types,
    overrides: Overrides,
}

impl GatewayPlan {
    /// Reads `profile` and `[transfers]`.
    #[must_use]
    pub fn read(root: &Section<'_>) -> Self {
        let profile = Profile::read(root);
        let section = root.section("transfers");
        let policies = [
            ("state", FundingPolicy::State),
            ("deposit", FundingPolicy::Deposit),
        ];
        let formats = [
            ("rfc3339", TimestampFormat::Rfc3339),
            ("rails", TimestampFormat::Rails),
        ];
        let plan = Self {
            profile,
            table: identifier(&section, "table", "transfers"),
            funding_policy: section.one_of(
                "funding_policy",
                &policies,
                Some(profile.funding_policy()),
            ),
            format: section.one_of("timestamp_format", &formats, Some(TimestampFormat::Rfc3339)),
            names: Names::read(ColumnNames::read(section.section("columns"))),
            states: States::read(&section.section("states"), profile),
            types: Types::read(&section.section("types")),
            overrides: read_overrides(&section.section("reversal")),
        };
        if plan.funding_policy == FundingPolicy::Deposit && plan.names.deposit_id.is_none() {
            let message = "is \"deposit\", which needs transfers.columns.deposit_id";
            section.fault("funding_policy", message);
        }
        plan
    }
}

fn read_overrides(section: &Section<'_>) -> Overrides {
    let set = section.section("set");
    Overrides {
        subtype: section.string_or("subtype", "SYSTEM"),
        copy: identifiers(section, "copy"),
        set: section
            .string_map("set")
            .into_iter()
            .map(|(name, text)| (parsed(&set, &name, &name), text))
            .collect(),
    }
}

impl Plan for GatewayPlan {
    fn profile(&self) -> &str {
        self.profile.as_str()
    }

    fn funding_policy(&self) -> FundingPolicy {
        self.funding_policy
    }

    fn table(&self) -> &Identifier {
        &self.table
    }

    fn fit(&self, schema: &TableSchema) -> Result<Fitted, Vec<String>> {
        let mut fit = Fitting::new(schema, &self.table, "transfers.columns", self.format);
        let columns = Columns::fit(&self.names, &mut fit);
        let layouts = Layouts::fit(&columns, &self.overrides, &mut fit);
        let warnings = fit.finish()?;
        let mapping = GatewayMapping {
            table: self.table.clone(),
            readiness: ready::readiness(&columns, &layouts),
            columns,
            states: self.states.clone(),
            types: self.types.clone(),
            layouts,
        };
        Ok(Fitted {
            mapping: Box::new(mapping),
            warnings,
        })
    }
}

/// The mapping on a live table.
pub(crate) struct GatewayMapping {
    pub(crate) table: Identifier,
    pub(crate) columns: Columns,
    pub(crate) states: States,
    pub(crate) types: Types,
    pub(crate) layouts: Layouts,
    /// The column that tells from when on a transfer may be settled, where the gateway has
    /// the notion.
    pub(crate) readiness: Option<Column>,
}

#[async_trait]
impl Mapping for GatewayMapping {
    async fn write(&self, session: &mut dyn Session, changes: &[&Change]) -> Result<bool, DbError> {
        change::write(self, session, changes).await
    }

    async fn examine(
        &self,
        session: &mut dyn Session,
        changes: &[&Change],
    ) -> Result<Vec<Option<Finding>>, DbError> {
        examine::examine(self, session, changes).await
    }

    async fn lookup(
        &self,
        session: &mut dyn Session,
        keys: &[Key],
    ) -> Result<Vec<Vec<Transfer>>, LookupError> {
        lookup::lookup(self, session, keys).await
    }
}
