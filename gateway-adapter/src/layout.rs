//! The columns of the rows that a change makes: a reversal, or the restoration of what a
//! return took.

use echeck_adapter::identifier::Identifier;
use echeck_adapter::schema::{Column, Fitting, Want};

use crate::columns::Columns;

/// What `[transfers.reversal]` says. It holds for restorations too.
#[derive(Debug, Clone)]
pub(crate) struct Overrides {
    /// The subtype of what is made.
    pub(crate) subtype: String,
    /// Further columns that are taken over from the original.
    pub(crate) copy: Vec<Identifier>,
    /// Columns that get a fixed text.
    pub(crate) set: Vec<(Identifier, String)>,
}

impl Overrides {
    /// The columns that are filled otherwise than by the mapping.
    fn fit(&self, fit: &mut Fitting<'_>) -> Vec<(Column, Fill)> {
        fit.enter("transfers.reversal");
        let mut filled = Vec::new();
        for (name, text) in &self.set {
            let column = fit.write(&format!("set.{name}"), name, Want::Anything);
            filled.push((column, Fill::Text(text.clone())));
        }
        for name in &self.copy {
            let column = fit.write("copy", name, Want::Anything);
            filled.push((column.clone(), Fill::Copy(column)));
        }
        filled
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
    DecidedAt,
    Zero,
    Null,
    Text(String),
    /// A column of the original.
    Copy(Column),
}

/// What a new transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It takes money back.
    Reversal,
    /// It gives back what a return took.
    Restoration,
}

impl Role {
    /// All roles.
    pub(crate) const ALL: [Self; 2] = [Self::Reversal, Self::Restoration];

    /// The word for messages.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Reversal => "reversal",
            Self::Restoration => "restoration",
        }
    }
}

/// The columns of the rows that are made.
pub(crate) struct Layouts {
    reversal: Layout,
    restoration: Layout,
}

impl Layouts {
    /// Lays the rows out, and checks that they fill every column that the table demands.
    pub(crate) fn fit(columns: &Columns, overrides: &Overrides, fit: &mut Fitting<'_>) -> Self {
        let filled = overrides.fit(fit);
        let lay_out = |role| Layout::new(role, columns, &overrides.subtype, &filled);
        let layouts = Self {
            reversal: lay_out(Role::Reversal),
            restoration: lay_out(Role::Restoration),
        };
        if !fit.any_missing() {
            let mut told = Vec::new();
            for role in Role::ALL {
                layouts.of(role).check_demands(role, fit, &mut told);
            }
        }
        layouts
    }

    /// The layout of one role.
    pub(crate) fn of(&self, role: Role) -> &Layout {
        match role {
            Role::Reversal => &self.reversal,
            Role::Restoration => &self.restoration,
        }
    }

    /// Whether what is made has nothing in a column until somebody fills it.
    pub(crate) fn leave_empty(&self, column: &Column) -> bool {
        Role::ALL.into_iter().all(|role| {
            let fill = self.of(role).fill(column);
            matches!(fill, Some(Fill::Null))
        })
    }
}

/// The columns of a row that is made, each once.
pub(crate) struct Layout(Vec<(Column, Fill)>);

impl Layout {
    fn new(role: Role, columns: &Columns, subtype: &str, filled: &[(Column, Fill)]) -> Self {
        let mut row = Self(Vec::new());
        match role {
            Role::Reversal => {}
            // The money goes the way of the original once more, whatever the configuration
            // says of the way back.
            Role::Restoration => {
                let (source, destination) = (&columns.source, &columns.destination);
                let same = [Some(&columns.kind), source.as_ref(), destination.as_ref()];
                for column in same.into_iter().flatten() {
                    row.add(column, Fill::Copy(column.clone()));
                }
            }
        }
        for (column, fill) in filled {
            row.add(column, fill.clone());
        }
        row.add_mapped(columns, subtype);
        row
    }

    fn add_mapped(&mut self, columns: &Columns, subtype: &str) {
        self.add(&columns.id, Fill::Id);
        self.add(&columns.kind, Fill::Type);
        self.add(&columns.state, Fill::State);
        self.add(&columns.amount, Fill::Amount);
        // The original's own spelling, which the batch may have in capitals.
        self.add(&columns.currency, Fill::Copy(columns.currency.clone()));
        self.add(&columns.parent_id, Fill::ParentId);
        let optional = [
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
            (&columns.created_at, Fill::DecidedAt),
            (&columns.updated_at, Fill::DecidedAt),
        ];
        for (column, fill) in optional {
            if let Some(column) = column {
                self.add(column, fill);
            }
        }
        for copied in [&columns.application, &columns.merchant_identity]
            .into_iter()
            .flatten()
        {
            self.add(copied, Fill::Copy(copied.clone()));
        }
        // The money goes back where it came from.
        if let (Some(destination), Some(source)) = (&columns.destination, &columns.source) {
            self.add(destination, Fill::Copy(source.clone()));
        }
    }

    /// The first that fills a column wins, so that overrides do.
    fn add(&mut self, column: &Column, fill: Fill) {
        if self.fill(column).is_none() {
            self.0.push((column.clone(), fill));
        }
    }

    /// The columns, and where their values come from.
    pub(crate) fn columns(&self) -> &[(Column, Fill)] {
        &self.0
    }

    fn fill(&self, column: &Column) -> Option<&Fill> {
        let taken = self
            .0
            .iter()
            .find(|(taken, _)| taken.name() == column.name());
        taken.map(|(_, fill)| fill)
    }

    /// What is wrong with both rows is told once.
    fn check_demands(&self, role: Role, fit: &mut Fitting<'_>, told: &mut Vec<String>) {
        let schema = fit.schema();
        for live in &schema.columns {
            let filled = self
                .0
                .iter()
                .find(|(column, _)| schema.dialect.same_name(column.name().as_str(), &live.name));
            let problem = match filled {
                _ if live.nullable || live.generated || told.contains(&live.name) => continue,
                Some((_, Fill::Null)) => "has none there",
                None if !live.has_default => "does not fill it",
                Some(_) | None => continue,
            };
            told.push(live.name.clone());
            fit.fault(format!(
                "transfers.reversal: column {:?} must not be NULL, but a {} {problem}; name it in \
                 transfers.reversal.copy or give it a text in [transfers.reversal.set]",
                live.name,
                role.as_str()
            ));
        }
    }
}
