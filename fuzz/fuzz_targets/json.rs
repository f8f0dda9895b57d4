//! Records of JSON, in an array, one after the other, or deep in an answer. The first byte says
//! which.

#![no_main]

use std::sync::LazyLock;

use ach::format::Format;
use ach::format::delimited::Profile;
use libfuzzer_sys::fuzz_target;

fn format(records: &str) -> Format {
    let text = format!(
        "name = \"fuzz\"\nsyntax = \"json\"\nrecords = {records:?}\nraw = true\namount_unit = \"minor\"\n\
         date_formats = [\"%Y-%m-%d\"]\n[columns]\npayment_id = [\"id\", \"payment.id\"]\ncode = \"code\"\n\
         amount = \"amount\"\naccount = \"account\"\nissued_on = \"date\"\n"
    );
    match toml::from_str::<Profile>(&text) {
        Ok(profile) => Format::Delimited(Box::new(profile)),
        Err(error) => panic!("{error}"),
    }
}

static FORMATS: LazyLock<[Format; 2]> = LazyLock::new(|| ["", "data.returns"].map(format));

fuzz_target!(|input: &[u8]| {
    let Some((first, file)) = input.split_first() else {
        return;
    };
    echeck_fuzz::read_file(&FORMATS[usize::from(first % 2)], file);
});
