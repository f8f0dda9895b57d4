//! Which differences a source's files may show without being rejected.

use serde::{Deserialize, Serialize};

impl Tolerance {
    /// The same for a file that a person vouches for although its controls are missing.
    #[must_use]
    pub fn without_controls(self) -> Self {
        Self {
            missing_file_control: true,
            missing_batch_control: true,
            ..self
        }
    }
}

/// Declares the differences: the setting of each with its default, and the enum.
macro_rules! differences {
    ($($(#[$doc:meta])* $setting:ident = $default:literal, $difference:ident;)+) => {
        /// The differences that a source's files may show. A tolerated difference is reported as
        /// a finding; any other rejects the whole file.
        ///
        /// The default rejects what could hide a lost or altered entry (counts, hash, money).
        /// It tolerates what many banks leave out or get wrong without any effect on an entry. A file
        /// that ends without its controls may be half of one, so that needs a bank which never sends
        /// them, or a person.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Tolerance { $($(#[$doc])* pub $setting: bool,)+ }

        impl Default for Tolerance {
            fn default() -> Self {
                Self { $($setting: $default,)+ }
            }
        }

        impl Tolerance {
            /// Whether this difference is tolerated.
            pub(super) const fn tolerates(self, difference: Difference) -> bool {
                match difference { $(Difference::$difference => self.$setting,)+ }
            }
        }

        /// A difference that a [`Tolerance`] decides about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Difference { $($difference,)+ }

        impl Difference {
            /// The name of the setting that tolerates it.
            pub(super) const fn setting(self) -> &'static str {
                match self { $(Self::$difference => stringify!($setting),)+ }
            }
        }
    };
}

differences! {
    /// Entry and addenda counts of controls that differ from the records. Default `false`.
    entry_counts = false, EntryCount;
    /// Entry hashes of controls that differ from the entries. Default `false`.
    entry_hash = false, EntryHash;
    /// Debit and credit totals of controls that differ from the entries. Default `false`.
    money_totals = false, MoneyTotal;
    /// A batch count of the file control that differs from the batches. Default `false`.
    batch_count = false, BatchCount;
    /// A block count of the file control that differs from the records. Default `true`.
    block_count = true, BlockCount;
    /// A last block that is not filled up with records of `9`. Default `true`.
    missing_filler = true, MissingFiller;
    /// A file without a file header (`1`). Default `true`.
    missing_file_header = true, MissingFileHeader;
    /// A file without a file control (`9`). Default `false`.
    missing_file_control = false, MissingFileControl;
    /// Entries that no batch header (`5`) precedes. Default `true`.
    missing_batch_header = true, MissingBatchHeader;
    /// Batches that no batch control (`8`) closes. Default `false`.
    missing_batch_control = false, MissingBatchControl;
    /// Batch numbers that do not ascend. Default `true`.
    batch_order = true, BatchOrder;
    /// A batch control that repeats its header's service class, company id or batch number
    /// differently. Default `true`.
    batch_fields = true, BatchFields;
    /// Routing numbers whose check digit is wrong. Default `true`.
    check_digits = true, CheckDigit;
    /// Lines of text before the first and after the last record. Default `true`.
    surrounding_text = true, SurroundingText;
}
