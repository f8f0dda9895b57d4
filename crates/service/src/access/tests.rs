//! Who is let in, credential by credential.

use std::str::FromStr as _;

use chrono::TimeDelta;
use http::HeaderValue;
use secrecy::ExposeSecret as _;
use strum::IntoEnumIterator as _;

use super::*;
use crate::clock::{Clock as _, SystemClock};
use crate::config::Settings;

const GET_TRANSFER: &str = "/echeck.returns.v1.ReturnsService/GetTransfer";
const LIST_HOLDS: &str = "/echeck.returns.v1.ReturnsService/ListHolds";

/// The section `[access]` with these lines.
fn access(lines: &str) -> Result<Access, String> {
    let settings = Settings::from_toml(&format!("[access]\n{lines}")).unwrap();
    let listen = "127.0.0.1:1".parse().unwrap();
    let access = Access::read(&settings.root().section("access"), listen);
    settings
        .finish()
        .map(|()| access)
        .map_err(|faults| faults.to_string())
}

fn with_token(token: &str) -> HeaderMap {
    let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
    HeaderMap::from_iter([(http::header::AUTHORIZATION, value)])
}

fn word(outcome: Result<(Caller, &'static MethodRule), Denied>) -> &'static str {
    match outcome {
        Ok(_) => "let in",
        Err(why) => why.word(),
    }
}

#[test]
fn a_token_is_known_by_its_hash_until_it_expires() {
    let drawn = new_token().unwrap();
    let token = drawn.token.expose_secret();
    let now = SystemClock.now();
    let tomorrow = (now + TimeDelta::days(1)).to_rfc3339();
    let access = access(&format!(
        "[access.tokens.rails]\nsha256 = {:?}\nroles = [\"reader\"]\nexpires = {tomorrow:?}\n",
        drawn.sha256
    ))
    .unwrap();
    let call = |headers: &HeaderMap, now| access.admit(GET_TRANSFER, None, headers, now);
    let (caller, _) = call(&with_token(token), now).unwrap();
    assert_eq!(&*caller.identity, "token:rails");
    let later = now + TimeDelta::days(2);
    assert_eq!(word(call(&with_token(token), later)), "token_expired");
    assert_eq!(
        word(call(&with_token("echeck_other"), now)),
        "token_unknown"
    );
    // The hash itself is no token.
    assert_eq!(word(call(&with_token(&drawn.sha256), now)), "token_unknown");
    assert_eq!(word(call(&HeaderMap::new(), now)), "no_credentials");
    let mut basic = HeaderMap::new();
    basic.insert("authorization", HeaderValue::from_static("Basic YTpi"));
    assert_eq!(word(call(&basic, now)), "token_malformed");
    let mut two = with_token(token);
    two.append(
        "authorization",
        HeaderValue::from_str(&format!("Bearer {token}")).unwrap(),
    );
    assert_eq!(word(call(&two, now)), "token_malformed");
    // A query is no part of a method's name, and no place for a token.
    let path = format!("{GET_TRANSFER}?access_token={token}");
    assert_eq!(
        word(access.admit(&path, None, &HeaderMap::new(), now)),
        "method_unknown"
    );
}

#[test]
fn no_header_says_who_somebody_is() {
    let access = access("anonymous_roles = [\"health\"]\n").unwrap();
    let mut forged = HeaderMap::new();
    for header in [
        "x-forwarded-client-cert",
        "x-forwarded-user",
        "x-echeck-identity",
        "cookie",
    ] {
        forged.insert(
            header,
            HeaderValue::from_static("spiffe://pay.example/admin"),
        );
    }
    let now = SystemClock.now();
    assert_eq!(
        word(access.admit(GET_TRANSFER, None, &forged, now)),
        "no_credentials"
    );
    assert_eq!(
        word(access.admit("/grpc.health.v1.Health/Check", None, &forged, now)),
        "let in"
    );
}

#[test]
fn a_reader_of_some_merchants_calls_only_what_leaves_out_those_of_others() {
    let drawn = new_token().unwrap();
    let access = access(&format!(
        "[access.tokens.platform]\nsha256 = {:?}\nroles = [\"reader\"]\nmerchants = [\"MU1\"]\n",
        drawn.sha256
    ))
    .unwrap();
    let headers = with_token(drawn.token.expose_secret());
    let now = SystemClock.now();
    let (caller, _) = access.admit(GET_TRANSFER, None, &headers, now).unwrap();
    assert!(caller.merchants().include("MU1"));
    assert!(!caller.merchants().include("MU2") && !caller.merchants().include(""));
    assert_eq!(
        word(access.admit(LIST_HOLDS, None, &headers, now)),
        "role_missing"
    );
}

#[test]
fn every_role_is_let_in_where_the_table_says_and_nowhere_else() {
    let now = SystemClock.now();
    for role in Role::iter() {
        let access = Access::for_everybody([role]);
        for rule in table::RULES {
            let admitted = access
                .admit(rule.path, None, &HeaderMap::new(), now)
                .is_ok();
            assert_eq!(
                admitted,
                rule.roles.contains(&role),
                "{role:?} {}",
                rule.path
            );
        }
        let unknown = access.admit(
            "/echeck.returns.v1.ReturnsService/gettransfer",
            None,
            &HeaderMap::new(),
            now,
        );
        assert_eq!(word(unknown), "method_unknown");
        assert_eq!(Role::from_str(role.as_str()), Ok(role));
    }
}

#[test]
fn what_is_wrong_in_the_section_is_said_with_its_key() {
    let hash = new_token().unwrap().sha256;
    for (lines, said) in [
        (
            "[access.tokens.a]\nsha256 = \"abc\"\nroles = [\"reader\"]\n".to_owned(),
            "access.tokens.a.sha256",
        ),
        (
            format!("[access.tokens.a]\nsha256 = {hash:?}\nroles = [\"root\"]\n"),
            "\"root\", which is none of",
        ),
        (
            format!("[access.tokens.a]\nsha256 = {hash:?}\n"),
            "access.tokens.a.roles: is required",
        ),
        (
            format!(
                "[access.tokens.a]\nsha256 = {hash:?}\nroles = [\"admin\"]\nmerchants = [\"M\"]\n"
            ),
            "access.tokens.a.merchants",
        ),
        (
            format!(
                "[access.tokens.a]\nsha256 = {hash:?}\nroles = [\"reader\"]\n\
                 [access.tokens.b]\nsha256 = {hash:?}\nroles = [\"admin\"]\n"
            ),
            "is the same as that of token:a",
        ),
        ("tokens_file = \"/gone\"\n".to_owned(), "access.tokens_file"),
    ] {
        let faults = access(&lines).unwrap_err();
        assert!(faults.contains(said), "{said}: {faults}");
    }
    let settings = Settings::from_toml("anonymous_roles = [\"reader\"]").unwrap();
    Access::read(&settings.root(), "0.0.0.0:1".parse().unwrap());
    let faults = settings.finish().unwrap_err().to_string();
    assert!(
        faults.contains("only where server.listen is a loopback address"),
        "{faults}"
    );
}

#[test]
fn a_file_of_tokens_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.toml");
    let [first, second] = [new_token().unwrap(), new_token().unwrap()];
    let write = |drawn: &NewToken| {
        let text = format!(
            "[tokens.app]\nsha256 = {:?}\nroles = [\"reader\"]\n",
            drawn.sha256
        );
        std::fs::write(&file, text).unwrap();
    };
    write(&first);
    let access = access(&format!("tokens_file = {file:?}\n")).unwrap();
    let call = |drawn: &NewToken| {
        let headers = with_token(drawn.token.expose_secret());
        access
            .admit(GET_TRANSFER, None, &headers, SystemClock.now())
            .is_ok()
    };
    assert!(call(&first) && !call(&second));
    write(&second);
    let began = std::time::Instant::now();
    while !call(&second) {
        assert!(began.elapsed().as_secs() < 10, "the file is read again");
        std::thread::yield_now();
    }
    assert!(!call(&first));
}
