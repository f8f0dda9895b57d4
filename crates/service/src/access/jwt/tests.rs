//! Tokens of an issuer: right ones, and every kind of wrong one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use http::{HeaderMap, HeaderValue};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;

use super::super::{Access, MethodRule};
use super::*;
use crate::access::Caller;
use crate::clock::{Clock as _, SystemClock};
use crate::config::Settings;

const GET_TRANSFER: &str = "/echeck.returns.v1.ReturnsService/GetTransfer";

/// An issuer with a key.
struct Issuer {
    key: EcdsaKeyPair,
}

impl Issuer {
    fn new() -> Self {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &SystemRandom::new());
        Self { key: key.unwrap() }
    }

    /// Its public key, as it is published.
    fn jwk(&self, kid: &str) -> Value {
        let point = self.key.public_key().as_ref();
        json!({
            "kty": "EC",
            "crv": "P-256",
            "alg": "ES256",
            "use": "sig",
            "kid": kid,
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]),
            "y": URL_SAFE_NO_PAD.encode(&point[33..]),
        })
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let signature = self
            .key
            .sign(&SystemRandom::new(), text.as_bytes())
            .unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    /// A token with the claims that are asked for, changed by `change`.
    fn token(&self, change: impl FnOnce(&mut Value, &mut Value)) -> String {
        let now = SystemClock.now();
        let mut header = json!({ "alg": "ES256", "typ": "JWT", "kid": "k1" });
        let mut claims = json!({
            "iss": "https://login.pay.example",
            "aud": "echeck-returns",
            "sub": "rails",
            "exp": (now + TimeDelta::minutes(5)).timestamp(),
            "echeck_roles": ["reader", "root"],
        });
        change(&mut header, &mut claims);
        self.sign(&header, &claims)
    }
}

struct Here {
    _folder: tempfile::TempDir,
    access: Access,
}

fn here(keys: &[Value]) -> Here {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    std::fs::write(&file, json!({ "keys": keys }).to_string()).unwrap();
    let text = format!(
        "[access.jwt]\nissuer = \"https://login.pay.example\"\naudience = [\"echeck-returns\"]\n\
         jwks_file = {file:?}\n"
    );
    let settings = Settings::from_toml(&text).unwrap();
    let listen = "127.0.0.1:1".parse().unwrap();
    let access = Access::read(&settings.root().section("access"), listen);
    settings.finish().unwrap();
    Here {
        _folder: folder,
        access,
    }
}

impl Here {
    fn admit(&self, token: &str) -> Result<(Caller, &'static MethodRule), Denied> {
        let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
        let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, value)]);
        self.access
            .admit(GET_TRANSFER, None, &headers, SystemClock.now())
    }

    fn word(&self, token: &str) -> &'static str {
        self.admit(token)
            .map_or_else(|why| why.word(), |_| "let in")
    }
}

#[test]
fn a_token_that_the_issuer_has_signed_says_who_its_bearer_is() {
    let issuer = Issuer::new();
    let here = here(&[issuer.jwk("k1")]);
    let (caller, _) = here.admit(&issuer.token(|_, _| {})).unwrap();
    assert_eq!(&*caller.identity, "jwt:rails");
    assert_eq!(
        caller.grant.roles,
        BTreeSet::from([Role::Reader]),
        "root is not ours"
    );
    let limited = issuer.token(|_, claims| claims["echeck_merchants"] = json!(["MU1"]));
    let (caller, _) = here.admit(&limited).unwrap();
    assert!(caller.merchants().include("MU1") && !caller.merchants().include("MU2"));
    let scopes = issuer.token(|_, claims| claims["echeck_roles"] = json!("reader operator"));
    assert_eq!(here.admit(&scopes).unwrap().0.grant.roles.len(), 2);
    // With one key there is no need to name it.
    let unnamed = issuer.token(|header, _| drop(header.as_object_mut().unwrap().remove("kid")));
    assert_eq!(here.word(&unnamed), "let in");
}

#[test]
fn a_token_with_anything_wrong_is_refused() {
    let issuer = Issuer::new();
    let here = here(&[issuer.jwk("k1"), Issuer::new().jwk("k2")]);
    let now = SystemClock.now();
    let claim = |name: &'static str, value: Value| issuer.token(|_, claims| claims[name] = value);
    let header = |name: &'static str, value: Value| issuer.token(|header, _| header[name] = value);
    let (head, body) = {
        let token = issuer.token(|_, _| {});
        let (text, _) = token.rsplit_once('.').unwrap();
        let (head, body) = text.split_once('.').unwrap();
        (head.to_owned(), body.to_owned())
    };
    let none = URL_SAFE_NO_PAD.encode("{\"alg\":\"none\"}");
    for (token, word) in [
        (claim("aud", json!("another")), "jwt_audience"),
        (claim("iss", json!("https://evil.example")), "jwt_issuer"),
        (
            claim("exp", json!((now - TimeDelta::minutes(5)).timestamp())),
            "jwt_expired",
        ),
        (
            claim("nbf", json!((now + TimeDelta::minutes(5)).timestamp())),
            "jwt_not_valid_yet",
        ),
        (claim("exp", Value::Null), "jwt_malformed"),
        (claim("sub", json!("a\nb")), "jwt_malformed"),
        (claim("sub", json!("")), "jwt_malformed"),
        (header("kid", json!("k9")), "jwt_key_unknown"),
        (header("kid", json!("k2")), "jwt_signature"),
        (header("alg", json!("HS256")), "jwt_algorithm"),
        (header("alg", json!("RS256")), "jwt_signature"),
        (Issuer::new().token(|_, _| {}), "jwt_signature"),
        // Unsigned, in each of its ways.
        (format!("{head}.{body}."), "jwt_signature"),
        (format!("{none}.{body}."), "jwt_malformed"),
        (format!("{head}.{body}"), "jwt_malformed"),
        ("..".to_owned(), "jwt_malformed"),
        (claim("echeck_roles", json!("root")), "role_missing"),
        (claim("echeck_roles", Value::Null), "role_missing"),
    ] {
        assert_eq!(here.word(&token), word, "{token}");
    }
}

#[test]
fn keys_come_from_a_file_or_from_an_encrypted_address() {
    let faults = |lines: &str| {
        let text = format!("[jwt]\nissuer = \"i\"\naudience = [\"a\"]\n{lines}");
        let settings = Settings::from_toml(&text).unwrap();
        JwtSettings::read(&settings.root());
        settings
            .finish()
            .err()
            .map(|faults| faults.to_string())
            .unwrap_or_default()
    };
    assert!(faults("").contains("jwt.jwks_url: or jwks_file is required"));
    assert!(faults("jwks_url = \"http://login.example/keys\"").contains("must be https://"));
    assert_eq!(faults("jwks_url = \"http://127.0.0.1:1/keys\""), "");
    assert!(faults("jwks_file = \"/gone\"").contains("jwt.jwks_file"));
}
