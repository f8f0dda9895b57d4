//! Bound values: what Rust has to what columns take.

use chrono::{DateTime, Utc};

/// A value for a place in a statement.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(Option<String>),
    Number(Option<i64>),
    Flag(bool),
    Time(Option<DateTime<Utc>>),
    Bytes(Vec<u8>),
    /// A list for [`super::Syntax::one_of`] and its like.
    Texts(Vec<String>),
    Numbers(Vec<i64>),
}

macro_rules! from {
    ($($rust:ty => $value:expr;)*) => {
        $(impl From<$rust> for Value {
            fn from(value: $rust) -> Self {
                $value(value)
            }
        })*
    };
}

from! {
    String => |text| Self::Text(Some(text));
    &str => |text: &str| Self::Text(Some(text.to_owned()));
    &String => |text: &String| Self::Text(Some(text.clone()));
    Option<String> => Self::Text;
    Option<&str> => |text: Option<&str>| Self::Text(text.map(str::to_owned));
    &Option<String> => |text: &Option<String>| Self::Text(text.clone());
    i64 => |number| Self::Number(Some(number));
    Option<i64> => Self::Number;
    u32 => |number: u32| Self::Number(Some(number.into()));
    bool => Self::Flag;
    DateTime<Utc> => |at| Self::Time(Some(at));
    Option<DateTime<Utc>> => Self::Time;
    Vec<u8> => Self::Bytes;
    &[u8] => |bytes: &[u8]| Self::Bytes(bytes.to_vec());
    Vec<String> => Self::Texts;
    &[String] => |texts: &[String]| Self::Texts(texts.to_vec());
    Vec<&str> => |texts: Vec<&str>| Self::Texts(texts.into_iter().map(str::to_owned).collect());
    Vec<i64> => Self::Numbers;
}
