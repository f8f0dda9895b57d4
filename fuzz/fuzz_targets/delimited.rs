//! Delimited files by the profiles that are built in and those of the examples. The first byte
//! says which.

#![no_main]

use std::sync::LazyLock;

use ach::format::Format;
use ach::format::delimited::{AmountUnit, Profile};
use ach::format::worldpay;
use libfuzzer_sys::fuzz_target;

const EXAMPLES: [&str; 6] = [
    include_str!("../../crates/ach/tests/delimited/icheckgateway.toml"),
    include_str!("../../crates/ach/tests/delimited/icheckgateway_main.toml"),
    include_str!("../../crates/ach/tests/delimited/checkcommerce_noc.toml"),
    include_str!("../../crates/ach/tests/delimited/inhouse_export.toml"),
    include_str!("../../crates/ach/tests/delimited/numeric_codes.toml"),
    RAW,
];

/// What is kept of a row is most when its cells are kept beside the entry.
const RAW: &str = r#"
raw = true
amount_unit = "major"
negative_is = "credit"
code_with_text = true
success_codes = ["", "R00"]
columns = { payment_id = "id", code = "code", amount = "amount", account = "account" }
"#;

static FORMATS: LazyLock<Vec<Format>> = LazyLock::new(|| {
    let built_in = [
        worldpay::echeck_return(),
        worldpay::funding_reject(),
        worldpay::funding_reject().with_unit(AmountUnit::Major),
    ];
    let examples = EXAMPLES.map(|text| match toml::from_str::<Profile>(text) {
        Ok(profile) => profile,
        Err(error) => panic!("{error}"),
    });
    let all = built_in.into_iter().chain(examples);
    all.map(|profile| Format::Delimited(Box::new(profile)))
        .collect()
});

fuzz_target!(|input: &[u8]| {
    let Some((first, file)) = input.split_first() else {
        return;
    };
    let number = usize::from(first.wrapping_sub(b'0')) % FORMATS.len();
    echeck_fuzz::read_file(&FORMATS[number], file);
});
