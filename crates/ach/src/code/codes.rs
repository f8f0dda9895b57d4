//! How the tables are declared: a closed set of codes, and a row for each code.

/// Text that is not a code of the table. The caller has it, so nothing is lost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not in the table of codes")]
pub struct NotInTable(pub String);

/// Declares a closed set of codes, in order: the enum, the list of all, and its text both ways.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident: $($code:ident)+) => {
        $(#[$doc])*
        #[allow(missing_docs, reason = "each code's meaning is its row in the table")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(serde::Serialize, serde::Deserialize)]
        pub enum $name { $($code),+ }

        impl $name {
            /// Every code of the table, in order.
            pub const ALL: &[Self] = &[$(Self::$code),+];

            /// The code as it is written, such as `R01`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$code => stringify!($code)),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotInTable;

            /// Reads a code in upper or lower case and ignores surrounding blanks.
            fn from_str(text: &str) -> Result<Self, NotInTable> {
                let wanted = text.trim().bytes().map(|byte| byte.to_ascii_uppercase());
                // The codes are in order, so a binary search beats comparing with each of them.
                let found = Self::ALL.binary_search_by(|code| code.as_str().bytes().cmp(wanted.clone()));
                found.map(|index| Self::ALL[index]).map_err(|_| NotInTable(text.to_owned()))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

/// Declares rows: `R71: CONTEST { title: "…", }` is the row of R71, which has these fields and
/// is otherwise like `CONTEST`.
macro_rules! rows {
    ($codes:ident $info:ident:
     $($(#[$doc:meta])* $code:ident: $like:ident { $($field:ident: $value:expr,)+ })+) => {
        $(
            $(#[$doc])*
            pub(in crate::code) static $code: $info = $info {
                code: $codes::$code,
                $($field: $value,)+
                ..$like
            };
        )+
    };
}

pub(super) use {codes, rows};
