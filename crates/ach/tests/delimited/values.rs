//! Values of cells: amounts, dates, codes, ids, directions, and what rejects a row.

use ach::entry::{Corrected, Direction, EntryKind};
use ach::format::delimited::Profile;
use ach::money::Money;

use crate::parsed::{SMALL, profile, read, read_rows, small};

#[test]
fn a_bad_value_rejects_its_row_with_the_headers_own_name() {
    let cases = [
        ("a,R01,1.2.3,,", "amount", "\"1.2.3\" is not a valid amount"),
        ("a,R01,,,", "amount", "the value is missing"),
        (",R01,1.00,,", "id", "the value is missing"),
        (
            "a,R01,1.00,31/12/2024,",
            "date",
            "\"31/12/2024\" is not a valid date; dates are written %m/%d/%Y",
        ),
        ("a,,1.00,,", "code", "the code is missing"),
        ("8.39977E+16,R01,1.00,,", "id", "rounded by a spreadsheet"),
    ];
    for (row, field, why) in cases {
        let outcome = read_rows(&format!("{row}\nb,R01,2.00,,\n"), &small(""));
        let rejected = outcome.rejection();
        assert_eq!((rejected.at.line, rejected.at.byte), (2, 25));
        assert_eq!(rejected.field.as_deref(), Some(field), "{row}");
        assert!(rejected.why.contains(why), "{}", rejected.why);
        assert_eq!(outcome.entries.len(), 1, "reading continues");
    }
}

#[test]
fn a_rejected_row_shows_its_amount_where_that_can_be_read() {
    let outcome = read_rows("a,R01,1.00,nonsense,\nb,R01,nonsense,,\n", &small(""));
    let amounts: Vec<_> = outcome
        .rejected
        .iter()
        .map(|row| row.amount_minor)
        .collect();
    assert_eq!(amounts, [Some(100), None]);
}

#[test]
fn an_error_never_shows_an_account_number() {
    // A row whose cells are shifted by one may have the account number anywhere.
    let account = "12345678901234567";
    let toml = format!(
        "directions = {{ D = \"debit\" }}\n{SMALL}\ndirection = \"type\"\ncurrency = \"cur\""
    );
    let profile = profile(&toml);
    for shifted in [2, 1, 3, 6] {
        let mut cells = ["a", "R01", "1.00", "", "", "D", "USD"];
        cells[shifted] = account;
        let text = format!("id,code,amount,date,text,type,cur\n{}\n", cells.join(","));
        let shown = read(text.as_bytes(), &profile).rejection().why.clone();
        assert!(
            !shown.contains(account) && shown.contains("4567"),
            "{shown}"
        );
    }
}

#[test]
fn the_unit_decides_what_500_00_is() {
    let rows = "a,R01,500.00,,\n";
    assert_eq!(
        read_rows(rows, &small("")).entry().amount,
        Some(Money::cents(50_000))
    );
    let cents = profile(&SMALL.replace("major", "minor"));
    assert_eq!(
        read_rows(rows, &cents).entry().amount,
        Some(Money::cents(500))
    );
    let outcome = read_rows("a,R01,500.50,,\n", &cents);
    assert!(
        outcome.rejection().why.contains("cents"),
        "{}",
        outcome.rejection().why
    );
    assert_eq!(outcome.rejection().amount_minor, None);
}

#[test]
fn the_sign_of_an_amount_is_removed() {
    let rows = "a,R01,-1.00,,\nb,R01,1.00-,,\nc,R01,(1.00),,\nd,R01,\"-$1,000.00\",,\n";
    let outcome = read_rows(rows, &small(""));
    let amounts: Vec<_> = outcome
        .entries
        .iter()
        .map(|e| e.amount.unwrap().minor())
        .collect();
    assert_eq!(amounts, [100, 100, 100, 100_000]);
    assert_eq!(outcome.summary.debit_minor, 100_300);
}

#[test]
fn a_zero_amount_is_read() {
    assert_eq!(
        read_rows("a,R01,0.00,,\n", &small("")).entry().amount,
        Some(Money::cents(0))
    );
}

#[test]
fn an_amount_that_no_entry_can_hold_is_rejected() {
    let outcome = read_rows("a,R01,99999999.99,,\n", &small(""));
    assert_eq!(outcome.entry().amount, Some(Money::cents(9_999_999_999)));
    for amount in [
        "100000000.00",
        "92233720368547758.07",
        "92233720368547758070",
    ] {
        let outcome = read_rows(&format!("a,R01,{amount},,\n"), &small(""));
        assert!(outcome.rejection().why.contains("99,999,999.99"));
    }
}

#[test]
fn dates_are_read_in_any_of_the_formats_without_their_time() {
    let profile = profile(&SMALL.replace("\"%m/%d/%Y\"", "\"%m/%d/%Y\", \"%Y%m%d\""));
    for date in ["01/05/2024", "1/5/2024", "20240105", "01/05/2024 23:59:59"] {
        let outcome = read_rows(&format!("a,R01,1.00,{date},\n"), &profile);
        assert_eq!(
            outcome.entry().issued_on.unwrap().to_string(),
            "2024-01-05",
            "{date}"
        );
    }
}

#[test]
fn apostrophes_and_excel_formulas_are_removed_unless_they_are_kept() {
    let rows = "'83997656989609888,'R01,'1.00,'01/05/2024,x\n=\"0123\",R01,1.00,,\n\
                \"=\"\"0123\"\"\",R01,1.00,,\n";
    let ids = |profile: &_| -> Vec<String> {
        let outcome = read_rows(rows, profile);
        assert_eq!(outcome.rejected, []);
        outcome
            .entries
            .into_iter()
            .filter_map(|entry| entry.keys.payment_id)
            .collect()
    };
    assert_eq!(ids(&small("")), ["83997656989609888", "0123", "0123"]);
    let kept = small("keep_apostrophes = [\"payment_id\"]");
    assert_eq!(ids(&kept), ["'83997656989609888", "=\"0123\"", "=\"0123\""]);
}

#[test]
fn leading_zeros_are_put_back() {
    let toml = "pad = { original_trace = 15, payment_id = 4, Shop = 9 }\nraw = true\n";
    let toml = format!("{toml}{SMALL}\noriginal_trace = \"trace\"");
    let text = "id,code,amount,date,text,trace,shop\n7,R01,1.00,,,91000010000001,'12345678\n";
    let outcome = read(text.as_bytes(), &profile(&toml));
    let entry = outcome.entry();
    assert_eq!(entry.keys.payment_id.as_deref(), Some("0007"));
    assert_eq!(
        entry.keys.original_trace.as_deref(),
        Some("091000010000001")
    );
    assert!(
        entry.raw.contains(&("shop".into(), "012345678".into())),
        "{:?}",
        entry.raw
    );
}

#[test]
fn traces_and_routing_numbers_are_padded_by_default() {
    let toml = format!("{SMALL}\noriginal_trace = \"trace\"\ncorrected_routing = \"routing\"");
    let text = "id,code,amount,date,text,trace,routing\n7,C02,1.00,,,91000010000001,11000015\n";
    let outcome = read(text.as_bytes(), &profile(&toml));
    let entry = outcome.entry();
    assert_eq!(entry.keys.payment_id.as_deref(), Some("7"));
    assert_eq!(
        entry.keys.original_trace.as_deref(),
        Some("091000010000001")
    );
    let EntryKind::Correction { corrected, .. } = &entry.kind else {
        panic!("{entry:?}")
    };
    assert_eq!(corrected, &[Corrected::Routing("011000015".into())]);
}

#[test]
fn the_direction_follows_the_transaction_type() {
    let toml = "directions = { FISC = \"credit\", FISD = \"debit\" }\n";
    let toml = format!(
        "{toml}{}\ndirection = \"type\"",
        SMALL.replace("\"debit\"", "\"credit\"")
    );
    let text = "id,code,amount,date,text,type\na,R01,1.00,,,fisd\nb,R01,2.00,,,FISC\n\
                c,R01,4.00,,,\nd,R01,8.00,,,FIXX\ne,R01,16.00,,,FIXY\n";
    let outcome = read(text.as_bytes(), &profile(&toml));
    let directions: Vec<_> = outcome
        .entries
        .iter()
        .map(|entry| entry.direction)
        .collect();
    let (debit, credit) = (Direction::Debit, Direction::Credit);
    assert_eq!(
        directions,
        [
            debit,
            credit,
            credit,
            Direction::Unknown,
            Direction::Unknown
        ]
    );
    let summary = &outcome.summary;
    let sums = (
        summary.debit_minor,
        summary.credit_minor,
        summary.unknown_minor,
    );
    assert_eq!(sums, (100, 600, 2_400));
    assert_eq!(outcome.found("direction"), 2);
}

#[test]
fn corrections_count_as_zero() {
    let outcome = read_rows("a,C01,5.00,,\nb,C61,5.00,,\nc,R01,1.00,,\n", &small(""));
    assert_eq!(outcome.summary.entries, 3);
    assert_eq!(outcome.summary.debit_minor, 100);
}

#[test]
fn the_currency_comes_from_its_column_or_the_profile() {
    let toml = format!("currency = \"CAD\"\n{SMALL}\ncurrency = \"cur\"");
    let text = "id,code,amount,date,text,cur\na,R01,1.00,,,usd\nb,R01,1.00,,,\nc,R01,1.00,,,US\n";
    let outcome = read(text.as_bytes(), &profile(&toml));
    let currencies: Vec<_> = outcome
        .entries
        .iter()
        .map(|entry| entry.amount.unwrap().currency().to_string())
        .collect();
    assert_eq!(currencies, ["USD", "CAD"]);
    assert_eq!(outcome.rejection().field.as_deref(), Some("cur"));
    assert_eq!(outcome.found("currency"), 1);
}

#[test]
fn accounts_are_masked_at_the_door() {
    let toml = format!("{SMALL}\naccount = \"acct\"\naccount_suffix = \"last3\"");
    let text = "id,code,amount,date,text,acct,last3\na,R01,1.00,,,'123456789,\n\
                b,R01,1.00,,,,089\nc,R01,1.00,,,xxxx6081,\nd,R01,1.00,,,,\n";
    let outcome = read(text.as_bytes(), &profile(&toml));
    let tails: Vec<_> = outcome
        .entries
        .iter()
        .map(|entry| entry.account_tail.as_ref().map(ToString::to_string))
        .collect();
    assert_eq!(
        tails,
        [
            Some("***6789".into()),
            Some("***089".into()),
            Some("***6081".into()),
            None
        ]
    );
}

#[test]
fn the_raw_row_hides_account_numbers_even_in_columns_nobody_named() {
    let toml = format!("raw = true\nmasked = [\"Secret\"]\n{SMALL}\naccount = \"dda\"");
    let text = "id,code,amount,date,text,dda,Old Account Number,Secret,Routing,Account Name,\n\
                a,R01,1.00,,x,'123456789,'987654321,55512345,011000015,Jo Doe,new\n\
                b,R01,1.00,,x,,,,,,\n";
    let outcome = read(text.as_bytes(), &profile(&toml));
    let of = |index: usize, header: &str| -> String {
        let raw = &outcome.entries[index].raw;
        raw.iter()
            .find(|(name, _)| name == header)
            .unwrap()
            .1
            .clone()
    };
    assert_eq!(of(0, "dda"), "***6789");
    assert_eq!(of(0, "Old Account Number"), "***4321");
    assert_eq!(of(0, "Secret"), "***2345");
    assert_eq!(of(0, "Routing"), "011000015");
    assert_eq!(of(0, "Account Name"), "Jo Doe");
    assert_eq!(of(0, "column 11"), "new");
    assert_eq!(of(0, "amount"), "1.00");
    assert_eq!(of(1, "dda"), "", "a blank stays blank");
    assert_eq!(outcome.entries[0].raw.len(), 11);
    assert!(
        read_rows("a,R01,1.00,,\n", &small(""))
            .entry()
            .raw
            .is_empty()
    );
}

#[test]
fn a_row_without_any_id_is_rejected() {
    let toml = SMALL.replace("required = [\"payment_id\", \"amount\"]", "");
    let profile = profile(&format!("{toml}\norder_id = \"order\""));
    let text = "id,code,amount,date,text,order\n,R01,1.00,,,o\n,R01,1.00,,,\n";
    let outcome = read(text.as_bytes(), &profile);
    assert_eq!(outcome.entries.len(), 1);
    assert!(
        outcome.rejection().why.contains("no id"),
        "{}",
        outcome.rejection().why
    );
    assert_eq!(outcome.rejection().amount_minor, Some(100));
}

#[test]
fn corrected_data_in_one_column_are_told_apart_by_the_code() {
    let profile = profile(&format!("{SMALL}\ncorrected_data = \"data\""));
    let corrected = |code: &str, data: &str| -> Vec<String> {
        let text = format!("id,code,amount,date,text,data\na,{code},0.00,,,{data}\n");
        match &read(text.as_bytes(), &profile).entry().kind {
            EntryKind::Correction { corrected, .. } => {
                corrected.iter().map(|piece| format!("{piece:?}")).collect()
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        corrected("C01", "123456789"),
        ["Account(AccountTail(\"6789\"))"]
    );
    assert_eq!(corrected("C02", "011000015"), ["Routing(\"011000015\")"]);
    assert_eq!(corrected("C05", "32"), ["TransactionCode(\"32\")"]);
    assert_eq!(
        corrected("C03", "011000015   123456789"),
        ["Routing(\"011000015\")", "Account(AccountTail(\"6789\"))"]
    );
    assert_eq!(
        corrected("C02", "011000016"),
        ["Unreadable(AccountTail(\"0016\"))"]
    );
    assert_eq!(
        corrected("C99", "123456789"),
        ["Unreadable(AccountTail(\"6789\"))"]
    );
    assert_eq!(corrected("C01", ""), [""; 0]);
}

#[test]
fn code_and_words_can_share_a_column() {
    let outcome = read_rows(
        "a,r01 - Insufficient Funds,1.00,,\n",
        &small("code_with_text = true"),
    );
    assert_eq!(outcome.entry().kind.code(), Some(("R01".into(), true)));
    assert_eq!(
        outcome.entry().description.as_deref(),
        Some("Insufficient Funds")
    );
}

#[test]
fn an_original_date_far_from_the_row_is_a_placeholder() {
    let profile = profile(&format!("{SMALL}\noriginal_date = \"sent\""));
    let text = "id,code,amount,date,text,sent\n1,R01,1.00,07/02/2026,,06/30/2026\n\
                2,R01,1.00,07/02/2026,,01/01/2000\n3,R01,1.00,,,01/01/1990\n";
    let outcome = read(text.as_bytes(), &profile);
    let dates = outcome.entries.iter().map(|entry| entry.original_date);
    let shown: Vec<_> = dates
        .map(|date| date.map(|date| date.to_string()))
        .collect();
    assert_eq!(shown, [Some("2026-06-30".to_owned()), None, None]);
    assert_eq!(outcome.found("implausible dates"), 2);
}

#[test]
fn a_date_of_the_row_far_from_the_file_is_a_placeholder_too() {
    let profile = profile(&format!("{SMALL}\noriginal_date = \"sent\""));
    let text = "id,code,amount,date,text,sent\n1,R01,1.00,01/01/2000,,06/30/2026\n\
                2,R01,1.00,12/31/2099,,06/30/2026\n";
    let outcome = read(text.as_bytes(), &profile);
    for entry in &outcome.entries {
        assert_eq!(entry.settlement_date, None);
        let original = entry.original_date.map(|date| date.to_string());
        assert_eq!(original.as_deref(), Some("2026-06-30"));
    }
    assert_eq!(outcome.found("implausible dates"), 2);
}

#[test]
fn a_column_of_its_own_counts_where_the_code_corrects_it_and_the_network_s_data_fill_the_rest() {
    let columns = "corrected_data = \"data\"\ncorrected_name = \"name\"\n\
                   corrected_account = \"account\"\ncorrected_transaction_code = \"tc\"";
    let profile = profile(&format!("{SMALL}\n{columns}"));
    let corrected = |row: &str| -> Vec<String> {
        let text = format!("id,code,amount,date,text,data,name,account,tc\na,{row}\n");
        match &read(text.as_bytes(), &profile).entry().kind {
            EntryKind::Correction { corrected, .. } => {
                corrected.iter().map(|piece| format!("{piece:?}")).collect()
            }
            other => panic!("{other:?}"),
        }
    };
    // Some files always have the present name.
    let [routing, account] = ["Routing(\"011000015\")", "Account(AccountTail(\"6789\"))"];
    assert_eq!(
        corrected("C03,0.00,,,011000015   123456789,PAT SMITH,,"),
        [routing, account]
    );
    // One part that has a column does not hide the others.
    assert_eq!(
        corrected("C03,0.00,,,011000015   123456789,,123456789,"),
        [account, routing]
    );
    assert_eq!(
        corrected("C04,0.00,,,,PAT SMITH,,"),
        ["Name(\"PAT SMITH\")"]
    );
    for odd in ["99", "WRONG", "073"] {
        for row in [
            format!("C05,0.00,,,{odd},,,"),
            format!("C05,0.00,,,,,,{odd}"),
        ] {
            let parts = corrected(&row);
            assert!(parts[0].starts_with("Unreadable"), "{row}: {parts:?}");
        }
    }
    assert_eq!(corrected("C05,0.00,,,,,,32"), ["TransactionCode(\"32\")"]);
}

#[test]
fn a_long_number_in_a_column_that_nobody_named_is_hidden_and_one_in_a_known_column_shows() {
    let toml = format!("raw = true\nignore = [\"Batch\"]\n{SMALL}");
    let text = "id,code,amount,date,text,DDA,Batch,A/C No\n\
                a,R01,1.00,,,904172635811,904172635812,9041-7263-5813\n";
    let outcome = read(text.as_bytes(), &profile(&toml));
    let raw: Vec<String> = outcome.entries[0]
        .raw
        .iter()
        .map(|(_, value)| value.clone())
        .collect();
    assert_eq!(raw[5..], ["***5811", "904172635812", "***5813"]);
}

#[test]
fn the_column_of_the_amount_says_the_direction() {
    let profile = profile(
        r#"
        name = "two_sides"
        amount_unit = "major"
        [columns]
        payment_id = "id"
        code = "code"
        debit_amount = "debit"
        credit_amount = "credit"
        "#,
    );
    let file = "id,code,debit,credit\nP1,R01,5.00,\nP2,R03,0.00,7.00\nP3,R01,0.00,0.00\nP4,R01,1.00,2.00\n";
    let parsed = read(file.as_bytes(), &profile);
    let seen: Vec<(i64, Direction)> = parsed
        .entries
        .iter()
        .map(|entry| (entry.amount.unwrap().minor(), entry.direction))
        .collect();
    assert_eq!(
        seen,
        [
            (500, Direction::Debit),
            (700, Direction::Credit),
            (0, Direction::Unknown),
        ]
    );
    assert!(
        parsed
            .rejection()
            .why
            .contains("a debit and one of a credit")
    );
    assert_eq!(parsed.summary.debit_minor, 500);
    assert_eq!(parsed.summary.credit_minor, 700);
    let gone = file.replace("debit", "dr");
    let why = read(gone.as_bytes(), &profile);
    assert!(why.file_rejection().why.contains("debit_amount"), "{why:?}");
}

#[test]
fn any_single_character_separates_cells_and_a_letter_does_not() {
    for delimiter in ["~", "!", "^", ":", "\u{1f}"] {
        let profile = small(&format!("delimiter = {delimiter:?}").replace("\\u{1f}", "\\u001f"));
        let file = format!("{}P1,R01,5.00,07/06/2026,x\n", crate::parsed::HEADER);
        let parsed = read(file.replace(',', delimiter).as_bytes(), &profile);
        assert_eq!(parsed.entry().amount.unwrap().minor(), 500, "{delimiter:?}");
    }
    for wrong in ["a", "7", " ", "\\\"", "::", ""] {
        let text = format!("name = \"x\"\ndelimiter = \"{wrong}\"");
        assert!(toml::from_str::<Profile>(&text).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_type_column_says_what_each_row_is() {
    let profile = profile(
        r#"
        name = "kinds"
        amount_unit = "major"
        direction = "debit"
        [columns]
        payment_id = "id"
        record_type = "type"
        code = "code"
        amount = "amount"
        [record_types]
        returns = ["RETURN"]
        corrections = ["NOC"]
        validation_failures = ["REJECT"]
        ignored = ["FEE"]
        "#,
    );
    let file = "id,type,code,amount\nP1,RETURN,R01,5.00\nP2,NOC,C01,0\nP3,REJECT,900,7.00\nP4,REJECT,,8.00\n\
                P5,FEE,,0.25\nP6,RETURN,C01,5.00\n";
    let parsed = read(file.as_bytes(), &profile);
    let kinds: Vec<&str> = parsed.entries.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "return",
            "correction",
            "validation_failure",
            "validation_failure"
        ]
    );
    assert!(
        parsed.rejection().why.contains("returns only"),
        "{parsed:?}"
    );
    assert_eq!(parsed.summary.left_out, 1);
}
