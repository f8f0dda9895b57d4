//! The columns of the rows that a change inserts: a reversal, or the restoration of what a return
//! took.

use echeck_adapter::identifier::Identifier;
use echeck_adapter::row_filter::RowFilter;
use echeck_adapter::schema::{ColumnContent, ColumnSpec, Fitting, MappedColumn};
use echeck_service::config::Section;

use crate::columns::TransferColumns;

/// The text of `[transfers.reversal.set]` that stands for the new transfer's id.
const NEW_ID: &str = "{id}";

/// `[transfers.reversal]`, which holds for restorations too.
#[derive(Debug, Clone)]
pub(crate) struct NewTransferOverrides {
    subtype: String,
    /// Further columns that are copied from the original.
    copy: Vec<Identifier>,
    /// Columns that get a fixed text, or [`NEW_ID`].
    set: Vec<(Identifier, String)>,
}

impl NewTransferOverrides {
    /// Reads the section.
    pub(crate) fn read(section: &Section<'_>) -> Self {
        let set = section.section("set");
        let copy = section.strings_or("copy", &[]).into_iter();
        Self {
            subtype: section.string_or("subtype", "SYSTEM"),
            copy: copy
                .map(|name| Identifier::read(section, "copy", &name))
                .collect(),
            set: section
                .string_map("set")
                .into_iter()
                .map(|(name, text)| (Identifier::read(&set, &name, &name), text))
                .collect(),
        }
    }

    /// The columns that are filled by the configuration and not by the mapping.
    fn fit(&self, fitting: &mut Fitting<'_>) -> Vec<FilledColumn> {
        fitting.enter("transfers.reversal");
        let mut filled = Vec::new();
        for (name, text) in &self.set {
            let key = format!("set.{name}");
            let spec = ColumnSpec::written(&key, ColumnContent::Anything);
            let column = fitting.column(spec, name);
            let fill = match text.as_str() {
                NEW_ID => Fill::Id,
                text => Fill::Text(text.to_owned()),
            };
            if text != NEW_ID && text.contains(NEW_ID) {
                fitting.fault(format!(
                    "transfers.reversal.{key}: is {text:?}, but {NEW_ID} stands alone or not at all"
                ));
            }
            if text != NEW_ID && column.word(text).is_none() {
                fitting.fault(format!(
                    "transfers.reversal.{key}: is {text:?}, but column {:?} has numbers",
                    name.as_str()
                ));
            }
            filled.push(FilledColumn::new(&column, fill));
        }
        for name in &self.copy {
            let spec = ColumnSpec::written("copy", ColumnContent::Anything);
            let column = fitting.column(spec, name);
            filled.push(FilledColumn::new(&column, Fill::Copy(column.clone())));
        }
        filled
    }
}

/// A column of an inserted row, and where its value comes from.
#[derive(Clone)]
pub(crate) struct FilledColumn {
    pub(crate) column: MappedColumn,
    pub(crate) fill: Fill,
}

impl FilledColumn {
    fn new(column: &MappedColumn, fill: Fill) -> Self {
        let column = column.clone();
        Self { column, fill }
    }

    /// Whether two new transfers, or a new one and its original, have the same value in it.
    fn repeats(&self) -> bool {
        match &self.fill {
            Fill::Type | Fill::State | Fill::Zero | Fill::Text(_) => true,
            Fill::Copy(original) => original.name() == self.column.name(),
            Fill::Id
            | Fill::TraceId
            | Fill::ParentId
            | Fill::Amount
            | Fill::Tags
            | Fill::WrittenAt
            | Fill::Null => false,
        }
    }
}

/// Where the value of one column comes from.
#[derive(Clone)]
pub(crate) enum Fill {
    Id,
    TraceId,
    ParentId,
    /// The type of a reversal.
    Type,
    State,
    Amount,
    Tags,
    WrittenAt,
    Zero,
    Null,
    Text(String),
    /// A column of the original.
    Copy(MappedColumn),
}

/// The kinds of new transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub(crate) enum NewTransferKind {
    /// It takes money back.
    Reversal,
    /// It gives back what a return took.
    Restoration,
}

impl NewTransferKind {
    /// All kinds.
    pub(crate) const ALL: [Self; 2] = [Self::Reversal, Self::Restoration];

    /// The word for messages.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// The layout of each kind of new transfer.
pub(crate) struct InsertLayouts {
    reversal: InsertLayout,
    restoration: InsertLayout,
}

impl InsertLayouts {
    /// Lays the rows out, and checks that they fill every column that must not be NULL.
    pub(crate) fn fit(
        columns: &TransferColumns<MappedColumn>,
        filter: &RowFilter,
        overrides: &NewTransferOverrides,
        fitting: &mut Fitting<'_>,
    ) -> Self {
        let mut filled = overrides.fit(fitting);
        let set = filled
            .iter()
            .filter(|one| !matches!(one.fill, Fill::Copy(_)));
        let set: Vec<&MappedColumn> = set.map(|one| &one.column).collect();
        filter.refuse(fitting, &set);
        // A new transfer passes the filter that its original passes.
        for column in filter.columns() {
            filled.push(FilledColumn::new(column, Fill::Copy(column.clone())));
        }
        let lay_out = |kind| InsertLayout::new(kind, columns, &overrides.subtype, &filled);
        let layouts = Self {
            reversal: lay_out(NewTransferKind::Reversal),
            restoration: lay_out(NewTransferKind::Restoration),
        };
        if !fitting.any_missing() {
            // What the database numbers was looked at by itself.
            let numbered = columns.own_id.as_ref().map(|_| &columns.id);
            let mut reported: Vec<String> = numbered
                .map(|id| id.name().as_str().to_owned())
                .into_iter()
                .collect();
            for kind in NewTransferKind::ALL {
                layouts.of(kind).check_demands(kind, fitting, &mut reported);
                layouts.of(kind).check_unique(kind, fitting, &mut reported);
            }
        }
        layouts
    }

    /// The layout of one kind.
    pub(crate) fn of(&self, kind: NewTransferKind) -> &InsertLayout {
        match kind {
            NewTransferKind::Reversal => &self.reversal,
            NewTransferKind::Restoration => &self.restoration,
        }
    }

    /// Whether a new transfer has NULL in a column until somebody fills it.
    pub(crate) fn leave_empty(&self, column: &MappedColumn) -> bool {
        NewTransferKind::ALL
            .into_iter()
            .all(|kind| matches!(self.of(kind).fill(column), Some(Fill::Null)))
    }
}

/// The columns of an inserted row, each once.
pub(crate) struct InsertLayout(Vec<FilledColumn>);

impl InsertLayout {
    fn new(
        kind: NewTransferKind,
        columns: &TransferColumns<MappedColumn>,
        subtype: &str,
        filled: &[FilledColumn],
    ) -> Self {
        let mut row = Self(Vec::new());
        match kind {
            NewTransferKind::Reversal => {}
            // The money goes the way of the original once more, whatever the configuration says
            // of the way back.
            NewTransferKind::Restoration => {
                row.copy(columns.kind.as_ref());
                row.copy(columns.source.as_ref());
                row.copy(columns.destination.as_ref());
            }
        }
        for FilledColumn { column, fill } in filled {
            row.add(Some(column), fill.clone());
        }
        row.add_mapped(columns, subtype);
        row
    }

    fn add_mapped(&mut self, columns: &TransferColumns<MappedColumn>, subtype: &str) {
        self.add(Some(columns.new_id()), Fill::Id);
        self.add(columns.kind.as_ref(), Fill::Type);
        self.add(Some(&columns.state), Fill::State);
        self.add(Some(&columns.amount), Fill::Amount);
        // The original's own spelling, which the batch may have in capitals.
        self.copy(columns.currency.as_ref());
        self.add(Some(&columns.parent_id), Fill::ParentId);
        for (column, fill) in [
            (&columns.subtype, Fill::Text(subtype.to_owned())),
            (&columns.fee, Fill::Zero),
            (&columns.trace_id, Fill::TraceId),
            (&columns.source, Fill::Null),
            (&columns.messages, Fill::Text("[]".to_owned())),
            (&columns.raw, Fill::Null),
            (&columns.tags, Fill::Tags),
            (&columns.statement_descriptor, Fill::Null),
            (&columns.idempotency_id, Fill::Null),
            (&columns.ready_to_settle_at, Fill::Null),
            (&columns.created_at, Fill::WrittenAt),
            (&columns.updated_at, Fill::WrittenAt),
        ] {
            self.add(column.as_ref(), fill);
        }
        self.copy(columns.application.as_ref());
        self.copy(columns.merchant_identity.as_ref());
        // The money goes back where it came from.
        if let Some(source) = &columns.source {
            self.add(columns.destination.as_ref(), Fill::Copy(source.clone()));
        }
    }

    fn copy(&mut self, column: Option<&MappedColumn>) {
        if let Some(original) = column {
            self.add(column, Fill::Copy(original.clone()));
        }
    }

    /// The first fill of a column counts, so that the overrides do.
    fn add(&mut self, column: Option<&MappedColumn>, fill: Fill) {
        if let Some(column) = column
            && self.fill(column).is_none()
        {
            self.0.push(FilledColumn::new(column, fill));
        }
    }

    /// The columns, and where their values come from.
    pub(crate) fn columns(&self) -> &[FilledColumn] {
        &self.0
    }

    /// A unique key whose columns all repeat a value takes one new transfer, or none.
    fn check_unique(
        &self,
        kind: NewTransferKind,
        fitting: &mut Fitting<'_>,
        reported: &mut Vec<String>,
    ) {
        let schema = fitting.schema();
        for key in schema.unique_keys() {
            let filled: Vec<Option<&FilledColumn>> = key
                .iter()
                .map(|name| {
                    let mut columns = self.0.iter();
                    columns.find(|filled| filled.column.name().as_str() == name)
                })
                .collect();
            let repeats = filled
                .iter()
                .all(|filled| filled.is_some_and(FilledColumn::repeats));
            let named = key.join("\", \"");
            if !repeats || reported.contains(&named) {
                continue;
            }
            let keys: Vec<&str> = filled
                .iter()
                .flatten()
                .map(|one| one.column.key())
                .collect();
            fitting.fault(format!(
                "{}: the unique key on \"{named}\" refuses a {} whose value there is a copy or the \
                 same for all; take the column out of transfers.reversal.set and \
                 transfers.reversal.copy, or drop the unique key",
                keys.join(", "),
                kind.as_str()
            ));
            reported.push(named);
        }
    }

    fn fill(&self, column: &MappedColumn) -> Option<&Fill> {
        let mut filled = self.0.iter();
        let found = filled.find(|filled| filled.column.name() == column.name());
        found.map(|filled| &filled.fill)
    }

    /// A fault of both rows is reported once.
    fn check_demands(
        &self,
        kind: NewTransferKind,
        fitting: &mut Fitting<'_>,
        reported: &mut Vec<String>,
    ) {
        let schema = fitting.schema();
        for live in &schema.columns {
            let mut columns = self.0.iter();
            let filled = columns.find(|filled| {
                let name = filled.column.name().as_str();
                schema.dialect.same_name(name, &live.name)
            });
            let problem = match filled.map(|filled| &filled.fill) {
                _ if live.nullable || live.generated || reported.contains(&live.name) => continue,
                Some(Fill::Null) => "has none there",
                None if !live.has_default => "does not fill it",
                Some(_) | None => continue,
            };
            reported.push(live.name.clone());
            fitting.fault(format!(
                "transfers.reversal: column {:?} must not be NULL, but a {} {problem}; name it in \
                 transfers.reversal.copy or give it a text in [transfers.reversal.set]",
                live.name,
                kind.as_str()
            ));
        }
    }
}
