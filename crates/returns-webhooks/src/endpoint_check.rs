//! What the settings of an endpoint may be.

use returns_model::endpoint::{EndpointFault, EndpointSettings, matches};

use crate::render;

/// The longest name of an event type.
const LONGEST_TYPE: usize = 100;

/// The most event types that an endpoint names.
const MOST_TYPES: usize = 100;

/// The longest of the other texts, in bytes.
const LONGEST_TEXT: usize = 500;

/// Every field that is wrong, besides the address, which is the guard's.
pub fn faults(settings: &EndpointSettings) -> Vec<EndpointFault> {
    let mut faults = Vec::new();
    for (field, text) in [
        ("description", &settings.description),
        ("owner_email", &settings.owner_email),
        ("merchant", &settings.merchant),
    ] {
        if text.len() > LONGEST_TEXT || text.chars().any(char::is_control) {
            faults.push(EndpointFault::new(
                field,
                format!("must have at most {LONGEST_TEXT} bytes and no control character"),
            ));
        }
    }
    if !settings.owner_email.is_empty() && settings.owner_email.parse::<lettre::Address>().is_err()
    {
        faults.push(EndpointFault::new(
            "owner_email",
            format!("{:?} is not a valid e-mail address", settings.owner_email),
        ));
    }
    if settings.event_types.len() > MOST_TYPES {
        faults.push(EndpointFault::new(
            "event_types",
            format!("are more than {MOST_TYPES}; use patterns such as ach_return.*"),
        ));
    }
    let known = render::event_types(settings.payload_version);
    for text in &settings.event_types {
        let what = if !is_pattern(text) {
            "is neither an event type such as payin.returned nor a pattern such as \
             ach_return.*"
                .to_owned()
        } else if known.iter().any(|known| matches(text, known)) {
            continue;
        } else {
            let known = known.join(", ");
            format!("is not an event type of this style and version; they are {known}")
        };
        faults.push(EndpointFault::new(
            "event_types",
            format!("{text:?} {what}"),
        ));
    }
    faults
}

/// Words of letters, digits and underscores, joined by dots; the last one may be a star.
fn is_pattern(text: &str) -> bool {
    let words = text.strip_suffix(".*").unwrap_or(text);
    text.len() <= LONGEST_TYPE
        && words.split('.').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
}

#[cfg(test)]
mod tests {
    use echeck_test_fixtures::endpoint_settings;

    use super::*;

    #[test]
    fn every_wrong_field_is_named() {
        let wrong = EndpointSettings {
            description: "a\nb".to_owned(),
            owner_email: "nobody".to_owned(),
            event_types: vec![
                "*".into(),
                "a..b".into(),
                "a.*.b".into(),
                "payin.retruned".into(),
                "payin.*".into(),
            ],
            ..endpoint_settings("https://a.example")
        };
        let fields: Vec<_> = faults(&wrong)
            .into_iter()
            .map(|fault| fault.field)
            .collect();
        assert_eq!(
            fields,
            [
                "description",
                "owner_email",
                "event_types",
                "event_types",
                "event_types",
                "event_types"
            ]
        );
        assert!(faults(&endpoint_settings("https://a.example")).is_empty());
    }
}
