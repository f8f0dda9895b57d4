use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret;
use serde::Deserialize;

use super::*;

const CANARY: &str = "hunter2-canary";

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn load(text: &str, pairs: &[(&str, &str)]) -> Settings {
    Settings::merge(text, Some("echeck.toml".to_owned()), env(pairs)).unwrap()
}

fn faults(settings: Settings) -> Vec<String> {
    let faults = settings
        .finish()
        .expect_err("there should be faults")
        .faults;
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn all_faults_are_reported_at_once_with_key_and_place() {
    let settings = load(
        "workers = \"many\"\nmode = \"fast\"\nunknown = 1\n[db]\nport = 70000\nurl = \"\"\nflag = 3\nlist = 4\n",
        &[("ECHECK__DB__HOST", "nowhere!")],
    );
    let root = settings.root();
    assert_eq!(root.u64_or("workers", 4, 1..=8), 4);
    assert_eq!(root.one_of("mode", &[("slow", 1), ("safe", 2)], None), 1);
    let db = root.section("db");
    assert_eq!(db.u64_or("port", 5432, 1..=65_535), 5432);
    assert_eq!(db.string("url"), "");
    assert!(db.bool_or("flag", true));
    assert_eq!(db.strings_or("list", &["a"]), ["a"]);
    assert_eq!(db.parse::<IpAddr>("host"), None);
    assert_eq!(db.parse::<u8>("level"), None);
    assert_eq!(
        faults(settings),
        [
            "workers: must be a whole number, not \"many\" (set in echeck.toml)",
            "mode: must be one of slow, safe, not \"fast\" (set in echeck.toml)",
            "db.port: must be from 1 to 65535, not 70000 (set in echeck.toml)",
            "db.url: is required (set in echeck.toml)",
            "db.flag: must be true or false, not a whole number (set in echeck.toml)",
            "db.list: must be a list, not a whole number (set in echeck.toml)",
            "db.host: is \"nowhere!\": invalid IP address syntax (set by ECHECK__DB__HOST)",
            "db.level: is required (set it in echeck.toml or with ECHECK__DB__LEVEL)",
            "unknown: is not a known key; known here: db, mode, workers (set in echeck.toml)",
        ]
    );
}

#[test]
fn valid_values_are_read_without_a_fault() {
    let settings = load(
        "name = \"x\"\nwait_ms = 1_500\n[sources.b]\nformat = \"y\"\n[sources.a]\nformat = \"z\"\n[status]\nR01 = \"lost\"\nR02 = 7\n",
        &[],
    );
    let root = settings.root();
    assert_eq!(root.string("name"), "x");
    assert_eq!(
        root.duration_ms_or("wait_ms", 1, 0..=9_999),
        Duration::from_millis(1_500)
    );
    assert_eq!(root.optional_string("absent"), None);
    let sources: Vec<_> = root
        .sections("sources")
        .into_iter()
        .map(|(name, source)| (name, source.string("format")))
        .collect();
    assert_eq!(sources[0], ("a".to_owned(), "z".to_owned()));
    assert_eq!(sources[1].0, "b");
    let status = BTreeMap::from([("R01".into(), "lost".into()), ("R02".into(), "7".into())]);
    assert_eq!(root.string_map("status"), status);
    settings.finish().unwrap();
}

#[test]
fn a_variable_overrides_the_file_and_its_text_serves_as_any_type() {
    let settings = load(
        "[server]\nlisten = \"a:1\"\nworkers = 1\n[status]\nR01 = \"lost\"\n",
        &[
            ("ECHECK__SERVER__LISTEN", "b:2"),
            ("ECHECK__SERVER__WORKERS", "12"),
            ("ECHECK__SERVER__FAST", "True"),
            ("ECHECK__SERVER__TAGS", "a, b,,c"),
            ("ECHECK__SERVER__EMPTY", ""),
            ("ECHECK__STATUS__R01", "found"),
            ("ECHECK__SOURCES__NEW__FORMAT", "x"),
            ("ECHECK_CONFIG", "ignored"),
            ("PATH", "ignored"),
        ],
    );
    let root = settings.root();
    let server = root.section("server");
    assert_eq!(server.string("listen"), "b:2");
    assert_eq!(server.u64_or("workers", 0, 1..=20), 12);
    assert!(server.bool_or("fast", false));
    assert_eq!(server.strings_or("tags", &[]), ["a", "b", "c"]);
    assert_eq!(server.string_or("empty", "default"), "default");
    assert_eq!(
        root.string_map("status"),
        BTreeMap::from([("R01".into(), "found".into())])
    );
    assert_eq!(root.sections("sources")[0].1.string("format"), "x");
    settings.finish().unwrap();
}

#[test]
fn keys_that_are_not_read_are_faults_in_the_file_and_in_variables() {
    let settings = load(
        "[server]\nlisten = \"a\"\n[sever]\nlisten = \"b\"\nport = 2\n[empty]\n",
        &[("ECHECK__SERVER__LISTN", "c"), ("ECHECK__NO__SUCH", "d")],
    );
    let server = settings.root().section("server");
    server.string("listen");
    server.bool_or("tls", false);
    assert_eq!(
        faults(settings),
        [
            "empty: is not a known key; known here: server (set in echeck.toml)",
            "no: is not a known key; known here: server (set by ECHECK__NO__SUCH)",
            "server.listn: is not a known key; known here: listen, tls (set by ECHECK__SERVER__LISTN)",
            "sever: is not a known key; known here: server (set in echeck.toml)",
        ]
    );
}

#[test]
fn a_value_where_a_section_belongs_is_one_fault() {
    let settings = load("server = 5\n", &[]);
    settings.root().section("server").string_or("listen", "x");
    assert_eq!(
        faults(settings),
        ["server: must be a section, not a whole number (set in echeck.toml)"]
    );
}

#[test]
fn a_secret_comes_from_its_key_or_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let secret = secrecy::SecretString::from(format!("{CANARY}\n"));
    crate::privacy::create_secret(&file, &secret).unwrap();
    let shown = file.display();
    let settings = load(
        &format!("direct = \"{CANARY}\"\nfiled_file = \"{shown}\"\n"),
        &[],
    );
    let root = settings.root();
    assert_eq!(root.secret("direct").unwrap().expose_secret(), CANARY);
    assert_eq!(
        root.required_secret("filed").unwrap().expose_secret(),
        CANARY
    );
    assert!(root.secret("absent").is_none());
    settings.finish().unwrap();
}

#[test]
fn a_secret_is_never_in_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let empty = folder.path().join("empty");
    crate::privacy::create_secret(&empty, &"\n".into()).unwrap();
    let open = folder.path().join("open");
    std::fs::write(&open, CANARY).unwrap();
    std::fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let settings = load(
        &format!(
            "both = \"{CANARY}\"\nboth_file = \"x\"\nlost_file = \"{}\"\nempty_file = \"{}\"\nopen_file = \"{}\"\nlisted = [\"{CANARY}\"]\nunread = \"{CANARY}\"\n[typed]\npassword = [\"{CANARY}\"]\n[other]\nport = \"{CANARY}\"\n",
            missing.display(),
            empty.display(),
            open.display()
        ),
        &[("ECHECK__UNREAD_TOO", CANARY)],
    );
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read by serde")]
    struct Typed {
        password: secrecy::SecretString,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read by serde")]
    struct Other {
        port: u16,
    }
    let root = settings.root();
    for key in ["both", "lost", "empty", "open", "listed"] {
        let secret = root.secret(key);
        assert!(secret.is_none());
    }
    assert!(root.required_secret("absent").is_none());
    assert!(root.section("typed").deserialize::<Typed>().is_none());
    assert!(root.section("other").deserialize::<Other>().is_none());
    let error = settings.finish().unwrap_err();
    assert_eq!(error.faults.len(), 10, "{error}");
    assert!(!format!("{error} {error:?}").contains(CANARY), "{error}");
    for part in [
        "both: is set together with both_file",
        "lost_file: names",
        "empty_file: names a file that cannot be used",
        "is open to other users (mode 644)",
        "listed: must be text in quotes, not a list",
        "absent: is required, or absent_file",
        "typed.password: ",
        "other.port: must be ",
        "unread: is not a known key",
        "unread_too: is not a known key",
    ] {
        assert!(error.to_string().contains(part), "{part} in {error}");
    }
}

#[test]
fn a_syntax_error_names_line_and_column_and_does_not_quote_the_line() {
    for text in [
        format!("a = 1\npassword = \"{CANARY}\nb = 2\n"),
        format!("a = 1\npassword = {CANARY}\n"),
        format!("a = 1\nb = 1\nb = \"{CANARY}\"\n"),
    ] {
        let error = Settings::from_toml(&text)
            .err()
            .expect("not TOML")
            .to_string();
        assert!(
            error.contains("line ") && error.contains("column "),
            "{error}"
        );
        assert!(!error.contains(CANARY), "{error}");
    }
    let error = Settings::from_toml("a = 1\nb = = 2\n")
        .err()
        .expect("not TOML")
        .to_string();
    assert!(
        error.contains("the configuration text, line 2, column 5: "),
        "{error}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Settings::load(Some(Path::new("/no/such/echeck.toml")), [])
        .err()
        .unwrap();
    assert!(
        error
            .to_string()
            .contains("/no/such/echeck.toml: cannot be read"),
        "{error}"
    );
}

#[test]
fn a_section_is_read_whole_by_serde_with_numbers_from_variables() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Columns {
        table: String,
        width: u16,
        #[serde(default)]
        names: Vec<String>,
    }
    let text = "[a]\ntable = \"t\"\nnames = [\"x\"]\n[b]\ntable = \"t\"\nwidth = 1\nwidht = 2\n[c]\ntable = \"t\"\n";
    let settings = load(text, &[("ECHECK__A__WIDTH", "80")]);
    let root = settings.root();
    let read = root.section("a").deserialize::<Columns>().unwrap();
    assert_eq!(
        read,
        Columns {
            table: "t".into(),
            width: 80,
            names: vec!["x".into()]
        }
    );
    assert!(root.section("b").deserialize::<Columns>().is_none());
    assert!(root.section("c").deserialize::<Columns>().is_none());
    let found = faults(settings);
    assert!(
        found[0].starts_with("b") && found[0].contains("widht"),
        "{found:?}"
    );
    assert!(
        found[1].starts_with("c") && found[1].contains("width"),
        "{found:?}"
    );
    assert_eq!(found.len(), 2, "{found:?}");
}
