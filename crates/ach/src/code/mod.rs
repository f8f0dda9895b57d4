//! The closed tables of return reason codes and notification-of-change codes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

mod correction_codes;
mod properties;
mod return_codes;
mod table;
#[cfg(test)]
mod table_tests;

pub use correction_codes::{CorrectedField, CorrectionCodeInfo};
pub use properties::{
    AccountEffect, AccountKind, Anchor, Initiator, RateCategory, RecommendedAction, Representment,
    ReturnStage, TimeFrame, UsualDirection, Validity,
};
pub use return_codes::ReturnCodeInfo;

/// Text that is not a code of the table. It is kept by the caller, never dropped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a code of the table")]
pub struct NotInTable(pub String);

/// Declares a closed set of codes: the enum, the list of all, and its text both ways.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident: $($code:ident)+) => {
        $(#[$doc])*
        #[allow(missing_docs, reason = "each code's meaning is its row in the table")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name { $($code),+ }

        impl $name {
            /// Every code of the table, in order.
            pub const ALL: &[Self] = &[$(Self::$code),+];

            /// The code as it is written, such as `R01`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$code => stringify!($code)),+ }
            }
        }

        impl FromStr for $name {
            type Err = NotInTable;

            /// Reads a code in upper or lower case, surrounding blanks ignored.
            fn from_str(text: &str) -> Result<Self, NotInTable> {
                let upper = text.trim().to_ascii_uppercase();
                match upper.as_str() {
                    $(stringify!($code) => Ok(Self::$code),)+
                    _ => Err(NotInTable(text.to_owned())),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

codes! {
    /// A return reason code: returns, dishonored returns and contested returns.
    ReturnCode:
    R01 R02 R03 R04 R05 R06 R07 R08 R09 R10 R11 R12 R13 R14 R15 R16 R17 R18 R19 R20 R21 R22 R23
    R24 R25 R26 R27 R28 R29 R30 R31 R32 R33 R34 R35 R36 R37 R38 R39 R40 R41 R42 R43 R44 R45 R46
    R47 R50 R51 R52 R53 R61 R62 R63 R64 R65 R66 R67 R68 R69 R70 R71 R72 R73 R74 R75 R76 R77 R80
    R81 R82 R83 R84 R85 R90
}

codes! {
    /// A notification-of-change code, or the code by which one is refused.
    CorrectionCode:
    C01 C02 C03 C04 C05 C06 C07 C08 C09 C10 C11 C12 C13 C14 C61 C62 C63 C64 C65 C66 C67 C68 C69
}
