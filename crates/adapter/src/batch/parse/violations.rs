//! What is wrong with a request.

/// The maximum number of violations reported for one request.
const MAX_VIOLATIONS: usize = 20;

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field, such as `steps[3].fail.transfer_id`.
    pub field: String,
    /// What is wrong with it.
    pub what: String,
}

/// The violations of one request, which are reported together.
#[derive(Default)]
pub(super) struct Violations(Vec<Violation>);

impl Violations {
    pub(super) fn add(&mut self, field: impl Into<String>, what: impl Into<String>) {
        if self.0.len() < MAX_VIOLATIONS {
            self.0.push(Violation {
                field: field.into(),
                what: what.into(),
            });
        }
    }

    pub(super) fn required(&mut self, field: String, text: &str) {
        if text.is_empty() {
            self.add(field, "must not be empty");
        }
    }

    /// The parsed value, or the violations. There is at least one when the value is missing.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Vec<Violation>> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self.0),
        }
    }
}
