//! The mapping as configured, and as it fits the live table.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use echeck_adapter::amount::AmountUnit;
use echeck_adapter::batch::{AppliedStep, LookupKey, TransferChange};
use echeck_adapter::config::ColumnNames;
use echeck_adapter::dialect::{DbError, TargetSession};
use echeck_adapter::identifier::Identifier;
use echeck_adapter::mapping::{
    LookupError, Mapping, MappingConfig, MappingNeeds, MappingSettings, Obstacle,
};
use echeck_adapter::row_filter::{RowFilter, RowFilterConfig};
use echeck_adapter::schema::{Fitting, MappedColumn};
use echeck_adapter::timestamp::TimestampFormat;
use echeck_adapter::values_table::ValuesTable;
use echeck_proto::adapter::v1::{FundingPolicy, KeyMatches};
use echeck_service::config::Section;

use crate::columns::{IdUniqueness, TransferColumns};
use crate::deposit::DepositColumn;
use crate::layout::{InsertLayouts, NewTransferOverrides};
use crate::profile::{FixedWords, GatewayProfile, StateSpellings, TypeSpellings};
use crate::{change, examine, lookup, release, verify};

/// The gateway's mapping as configured.
#[derive(Debug, Clone)]
pub(crate) struct GatewayMappingConfig {
    settings: MappingSettings,
    columns: TransferColumns<Identifier>,
    states: StateSpellings,
    types: TypeSpellings,
    fixed: FixedWords,
    /// `None` takes columns of whole numbers alone, which are minor units.
    amount_unit: Option<AmountUnit>,
    filter: RowFilterConfig,
    overrides: NewTransferOverrides,
    id_uniqueness: IdUniqueness,
    /// `deposit_none_values`: what means "in no deposit", beside NULL.
    deposit_none: Vec<String>,
}

impl GatewayMappingConfig {
    /// Reads `profile` and `[transfers]`.
    pub(crate) fn read(root: &Section<'_>) -> Self {
        let profile = GatewayProfile::read(root);
        let section = root.section("transfers");
        let policies = [
            ("state", FundingPolicy::State),
            ("deposit", FundingPolicy::Deposit),
        ];
        let units = [
            ("integer", None),
            ("minor", Some(AmountUnit::Minor)),
            ("major", Some(AmountUnit::Major)),
        ];
        let default_policy = Some(profile.funding_policy());
        let table = section.string_or("table", "transfers");
        let config = Self {
            settings: MappingSettings {
                profile: profile.as_str(),
                funding_policy: section.one_of("funding_policy", &policies, default_policy),
                table: Identifier::read(&section, "table", &table),
                columns_section: "transfers.columns",
                timestamp_format: TimestampFormat::read(&section, TimestampFormat::Rfc3339),
            },
            columns: TransferColumns::read(ColumnNames::read(section.section("columns"))),
            states: StateSpellings::read(&section.section("states"), profile),
            types: TypeSpellings::read(&section.section("types")),
            fixed: FixedWords::read(&section.section("fixed")),
            amount_unit: section.one_of("amount_unit", &units, Some(None)),
            filter: RowFilterConfig::read(&section),
            overrides: NewTransferOverrides::read(&section.section("reversal")),
            id_uniqueness: section.one_of(
                "id_uniqueness",
                &IdUniqueness::WORDS,
                Some(IdUniqueness::Index),
            ),
            deposit_none: section.strings_or("deposit_none_values", &[]),
        };
        if config.settings.funding_policy == FundingPolicy::Deposit
            && config.columns.deposit_id.is_none()
        {
            let message = "is \"deposit\", which needs transfers.columns.deposit_id";
            section.fault("funding_policy", message);
        }
        config
    }
}

impl GatewayMappingConfig {
    /// A column of numbers needs numbers as words, and amounts with decimals a column that has them.
    fn check_words(&self, columns: &TransferColumns<MappedColumn>, fitting: &mut Fitting<'_>) {
        let states = self.states.words();
        let states = states.map(|(key, text, _)| ("states", key, &columns.state, text));
        let types = columns.kind.iter().flat_map(|column| {
            let words = self.types.words();
            words.map(move |(key, text, _)| ("types", key, column, text))
        });
        for (section, key, column, text) in states.chain(types) {
            if column.word(text).is_none() {
                fitting.fault(format!(
                    "transfers.{section}.{key}: is {text:?}, but column {:?} has numbers; give the \
                     number that stands for it",
                    column.name().as_str()
                ));
            }
        }
        for column in std::iter::once(&columns.amount).chain(&columns.fee) {
            let name = column.name().as_str();
            match (self.amount_unit, column.is_decimal()) {
                (Some(AmountUnit::Major), false) => fitting.fault(format!(
                    "transfers.amount_unit: is \"major\", but column {name:?} has whole numbers, and \
                     so minor units"
                )),
                (None, true) => fitting.fault(format!(
                    "transfers.amount_unit: is \"integer\", but column {name:?} has decimal numbers; \
                     say \"major\" where 50.00 are fifty dollars, or \"minor\" where they are fifty \
                     cents"
                )),
                (Some(AmountUnit::Major), true) | (Some(AmountUnit::Minor), _) | (None, false) => {}
            }
        }
        if columns.kind.is_none() && !columns.parent_id.is_nullable() {
            fitting.fault(format!(
                "transfers.columns.type: is off, so a transfer with a parent is a reversal, but column \
                 {:?} is never NULL; name a column of types",
                columns.parent_id.name().as_str()
            ));
        }
    }
}

impl GatewayMapping {
    /// Rows of the table by one of its columns, of those that are transfers.
    pub(crate) fn rows<'a>(&'a self, key: &'a MappedColumn) -> ValuesTable<'a> {
        ValuesTable::new(&self.table, key).only(&self.filter)
    }
}

impl MappingConfig for GatewayMappingConfig {
    fn settings(&self) -> &MappingSettings {
        &self.settings
    }

    fn fit(&self, fitting: &mut Fitting<'_>) -> Box<dyn Mapping> {
        fitting.fix(self.filter.fixed());
        let columns = self.columns.fit(self.id_uniqueness, fitting);
        let deposit = columns.deposit_id.as_ref();
        let deposit = deposit.map(|column| DepositColumn::fit(column, &self.deposit_none, fitting));
        self.check_words(&columns, fitting);
        let filter = self.filter.fit(fitting, "transfers");
        filter.refuse(fitting, &columns.changing());
        let layouts = InsertLayouts::fit(&columns, &filter, &self.overrides, fitting);
        Box::new(GatewayMapping {
            filter,
            fixed: self.fixed.clone(),
            amount_unit: self.amount_unit.unwrap_or(AmountUnit::Minor),
            table: self.settings.table.clone(),
            release_column: release::column(&columns, &layouts),
            columns,
            deposit,
            states: self.states.clone(),
            types: self.types.clone(),
            layouts,
        })
    }
}

/// The mapping on a live table.
pub(crate) struct GatewayMapping {
    pub(crate) table: Identifier,
    pub(crate) columns: TransferColumns<MappedColumn>,
    pub(crate) deposit: Option<DepositColumn>,
    pub(crate) states: StateSpellings,
    pub(crate) types: TypeSpellings,
    /// What all transfers are where no column says it.
    pub(crate) fixed: FixedWords,
    pub(crate) amount_unit: AmountUnit,
    /// Which rows are transfers.
    pub(crate) filter: RowFilter,
    pub(crate) layouts: InsertLayouts,
    /// The column that says from when on a transfer may be settled, where the gateway knows that.
    pub(crate) release_column: Option<MappedColumn>,
}

#[async_trait]
impl Mapping for GatewayMapping {
    fn needs(&self) -> MappingNeeds<'_> {
        self.needed()
    }

    fn key(&self) -> Option<&MappedColumn> {
        Some(&self.columns.id)
    }

    fn filter(&self) -> Option<&RowFilter> {
        Some(&self.filter)
    }

    fn rows_of<'c>(&self, change: &'c TransferChange) -> Vec<&'c str> {
        let parent = examine::parent(change);
        std::iter::once(change.transfer_id())
            .chain(parent)
            .collect()
    }

    async fn write(
        &self,
        session: &mut dyn TargetSession,
        changes: &[&TransferChange],
        now: DateTime<Utc>,
    ) -> Result<bool, DbError> {
        change::write(self, session, changes, now).await
    }

    async fn examine(
        &self,
        session: &mut dyn TargetSession,
        changes: &[&TransferChange],
    ) -> Result<Vec<Option<Obstacle>>, DbError> {
        examine::examine(self, session, changes).await
    }

    async fn verify(
        &self,
        session: &mut dyn TargetSession,
        steps: &[AppliedStep],
    ) -> Result<Vec<Option<String>>, DbError> {
        verify::verify(self, session, steps).await
    }

    async fn lookup(
        &self,
        session: &mut dyn TargetSession,
        keys: &[LookupKey],
    ) -> Result<Vec<KeyMatches>, LookupError> {
        lookup::lookup(self, session, keys).await
    }
}
