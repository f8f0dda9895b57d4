//! The `echeck` command as people and scripts use it.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail loudly, its own functions too"
)]

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn echeck(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_echeck"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input closes it, which is no matter here.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn sample(arguments: &[&str]) -> Vec<u8> {
    let output = echeck(&[&["sample"], arguments].concat(), b"");
    assert!(output.status.success(), "{}", text(&output.stderr));
    output.stdout
}

#[test]
fn a_sample_file_parses_into_as_many_entries_with_the_same_money() {
    for layout in [&[][..], &["--per-batch", "7"], &["--per-batch", "1"]] {
        let file = sample(
            &[
                &["nacha", "--entries", "300", "--corrections", "50"],
                layout,
            ]
            .concat(),
        );
        let output = echeck(&["parse", "-", "--json"], &file);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
        let lines = lines(&output);
        let (last, entries) = lines.split_last().unwrap();
        assert_eq!(last["summary"]["entries"], 300);
        assert_eq!(entries.len(), 300);
        let sum: i64 = entries
            .iter()
            .map(|line| line["amount_minor"].as_i64().unwrap())
            .sum();
        assert_eq!(last["summary"]["debit_minor"], sum);
    }
}

#[test]
fn the_same_seed_makes_the_same_file_and_another_seed_another() {
    let make = |seed: &str| sample(&["nacha", "--seed", seed, "--today", "2026-11-20"]);
    assert_eq!(make("1"), make("1"));
    assert_ne!(make("1"), make("2"));
}

#[test]
fn an_entry_has_every_key_and_null_where_the_format_has_none() {
    let file = sample(&["worldpay-echeck-return", "--entries", "1"]);
    let output = echeck(
        &[
            "parse",
            "-",
            "--profile",
            "worldpay-echeck-return",
            "--json",
        ],
        &file,
    );
    let keys: Vec<String> = lines(&output)[0]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(
        keys,
        [
            "line",
            "kind",
            "code",
            "known_code",
            "amount_minor",
            "currency",
            "direction",
            "original_trace",
            "return_trace",
            "reference",
            "individual_id",
            "check_serial_number",
            "company_id",
            "sec",
            "settlement_date",
            "description",
            "corrected_data",
        ]
    );
    let entry = &lines(&output)[0];
    assert_eq!(entry["kind"], "return");
    assert_eq!(entry["direction"], "debit");
    assert_eq!(entry["sec"], Value::Null);
    assert!(entry["reference"].as_str().unwrap().starts_with("8399"));
}

#[test]
fn exit_codes_tell_accepted_with_rejects_and_rejected_apart() {
    let file = text(&sample(&["worldpay-echeck-return", "--entries", "2"]));
    let parse = |file: &str| {
        echeck(
            &[
                "parse",
                "-",
                "--profile",
                "worldpay_echeck_return",
                "--json",
            ],
            file.as_bytes(),
        )
    };
    assert_eq!(parse(&file).status.code(), Some(0));

    let with_reject = file.replacen(",USD,", ",US,", 1);
    let output = parse(&with_reject);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
    let reject = lines(&output)
        .into_iter()
        .find(|line| line.get("rejected").is_some())
        .unwrap();
    assert_eq!(reject["line"], 2);
    assert_eq!(reject["field"], "Chargeback Currency");

    let output = parse(&file.replacen("Reason Code", "Grund", 1));
    assert_eq!(output.status.code(), Some(3));
    let summary = &lines(&output).pop().unwrap()["summary"];
    assert_eq!(summary["accepted"], false);
    assert!(summary["reason"].as_str().unwrap().contains("Reason Code"));
}

#[test]
fn an_empty_file_is_not_accepted_and_a_delimited_one_without_a_profile_says_what_to_do() {
    let output = echeck(&["parse", "-", "--json"], b"");
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(lines(&output)[0]["summary"]["reason"], "the file is empty");

    let output = echeck(&["parse", "-"], &sample(&["worldpay-echeck-return"]));
    assert_eq!(output.status.code(), Some(3));
    assert!(
        text(&output.stdout).contains("--profile"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn a_wrong_profile_lists_every_fault() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("profile.toml");
    std::fs::write(&path, "name = \"\"\n[columns]\n").unwrap();
    let output = echeck(
        &["parse", "-", "--profile", path.to_str().unwrap()],
        b"a,b\n",
    );
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("name:") && said.lines().count() > 2, "{said}");
}

#[test]
fn account_numbers_never_leave_the_parser() {
    let file = sample(&["nacha", "--entries", "50", "--corrections", "500"]);
    let accounts: Vec<String> = text(&file)
        .lines()
        .filter(|line| line.starts_with('6'))
        .map(|line| line[12..29].trim().to_owned())
        .collect();
    for form in [&["parse", "-", "--json"][..], &["parse", "-"]] {
        let output = text(&echeck(form, &file).stdout);
        assert!(accounts.iter().all(|account| !output.contains(account)));
    }
}

#[test]
fn two_hundred_thousand_returns_parse_in_flat_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("returns.ach");
    let out = path.to_str().unwrap();
    let peak_kib_of = |entries: &str, per_batch: &str| {
        let size = ["--payments", "500000", "--entries", entries];
        sample(
            &[
                &["nacha"][..],
                &size,
                &["--per-batch", per_batch, "--out", out],
            ]
            .concat(),
        );
        peak_of_parse(out)
    };
    // The program itself takes room too, the more the more is linked into it.
    let of_a_small_file = peak_kib_of("10", "10");
    for per_batch in ["200000", "200", "1"] {
        let grown_kib = peak_kib_of("200000", per_batch).saturating_sub(of_a_small_file);
        println!("{grown_kib} KiB over the {of_a_small_file} KiB of a small file");
        assert!(
            grown_kib < 8 << 10,
            "{grown_kib} KiB more with {per_batch} entries a batch than for a small file"
        );
    }
}

/// The peak resident memory of `echeck parse`, as Linux counts it: Python is there wherever
/// the tests run, and its `resource` module asks the kernel what a child has used.
fn peak_of_parse(path: &str) -> u64 {
    let script = "import resource, subprocess, sys\n\
        subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)\n\
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
    let output = Command::new("python3")
        .args([
            "-c",
            script,
            env!("CARGO_BIN_EXE_echeck"),
            "parse",
            path,
            "--json",
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).trim().parse().unwrap()
}

#[test]
fn a_code_is_explained_and_an_unassigned_one_is_not_there() {
    let output = echeck(&["codes", "r11", "--json"], b"");
    assert_eq!(lines(&output)[0]["rate_category"], "unauthorized");
    let output = echeck(&["codes", "R48"], b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("R48"));
    assert!(text(&echeck(&["codes"], b"").stdout).contains("Insufficient Funds"));
}

#[test]
fn a_demo_replaces_an_earlier_one_and_knows_a_file_that_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let run = || echeck(&["demo", "--data", data.to_str().unwrap()], b"");
    for _ in 0..2 {
        let output = run();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let said = text(&output.stdout);
        for part in [
            "23 reversed",
            "this file was imported before",
            "grpcurl -cacert",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}

#[test]
fn a_service_that_is_not_there_is_named_with_what_to_do() {
    let output = echeck(&["status", "--server", "http://127.0.0.1:1"], b"");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(
        said.contains("http://127.0.0.1:1") && said.contains("echeck up"),
        "{said}"
    );
}

#[test]
fn a_command_line_that_is_wrong_has_an_exit_code_of_its_own() {
    for wrong in [
        &["nonsense"][..],
        &["import"],
        &["runs", "--limit", "many"],
        &[],
    ] {
        assert_eq!(echeck(wrong, b"").status.code(), Some(64), "{wrong:?}");
    }
    for help in ["--help", "--version"] {
        assert_eq!(echeck(&[help], b"").status.code(), Some(0), "{help}");
    }
}

#[test]
fn what_the_command_creates_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let world = folder.path().join("world");
    let arguments = [
        "world",
        "--payments",
        "10",
        "--out",
        world.to_str().unwrap(),
    ];
    sample(&arguments);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&world), 0o700);
    for entry in world.read_dir().unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
    }
}
