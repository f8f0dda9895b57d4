//! Answers as JSON, by the descriptors of their messages. docs/json.md describes the form.

use std::sync::LazyLock;

use anyhow::Context as _;
use prost::{Message, Name};
use prost_reflect::SerializeOptions;
use prost_reflect::{DescriptorPool, DynamicMessage, EnumDescriptor, Kind, MessageDescriptor};
use serde_json::Value;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the descriptors are built into this program, and a test reads them"
    )]
    DescriptorPool::decode(echeck_proto::DESCRIPTOR_SET).expect("our own descriptors are valid")
});

/// A message as JSON: its fields by their names in the .proto file, in the order of their
/// numbers; 64-bit integers as numbers; default values included.
pub(super) fn of<M: Message + Name>(message: &M) -> anyhow::Result<Value> {
    let descriptor = POOL
        .get_message_by_name(&M::full_name())
        .with_context(|| format!("{} has no descriptor", M::full_name()))?;
    let options = SerializeOptions::new()
        .use_proto_field_name(true)
        .stringify_64_bit_integers(false)
        .skip_default_fields(false);
    let mut dynamic = DynamicMessage::new(descriptor.clone());
    dynamic.transcode_from(message)?;
    let mut value = dynamic.serialize_with_options(serde_json::value::Serializer, &options)?;
    shorten(&mut value, &descriptor);
    Ok(value)
}

/// Enum values get their short names, and maps the order of their keys, so that the same answer
/// is the same text.
fn shorten(value: &mut Value, descriptor: &MessageDescriptor) {
    let Value::Object(object) = value else {
        // A time or a duration is text.
        return;
    };
    for field in descriptor.fields() {
        let Some(value) = object.get_mut(field.name()) else {
            continue;
        };
        match (field.kind(), value) {
            (Kind::Message(_), Value::Object(map)) if field.is_map() => map.sort_keys(),
            (Kind::Message(inner), Value::Array(list)) => {
                list.iter_mut().for_each(|one| shorten(one, &inner));
            }
            (Kind::Message(inner), one) => shorten(one, &inner),
            (Kind::Enum(kind), Value::Array(list)) => {
                list.iter_mut().for_each(|one| shorten_enum(one, &kind));
            }
            (Kind::Enum(kind), one) => shorten_enum(one, &kind),
            _ => {}
        }
    }
}

fn shorten_enum(value: &mut Value, kind: &EnumDescriptor) {
    if let Value::String(name) = value {
        *name = short(name, kind.default_value().name());
    }
}

/// An enum value without the prefix that protobuf needs: `HOLD_STATE_OPEN` is `open`. The zero
/// value of every enum is its prefix and `UNSPECIFIED`.
pub(crate) fn short(name: &str, zero: &str) -> String {
    let prefix = zero.trim_end_matches("UNSPECIFIED");
    name.strip_prefix(prefix)
        .unwrap_or(name)
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use echeck_proto::returns::v1 as proto;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_has_the_names_of_its_proto_file_and_every_value_that_is_set_or_a_default() {
        let hold = proto::Hold {
            hold_id: "hold_1".to_owned(),
            reason: proto::HoldReason::AmountDiffers.into(),
            state: proto::HoldState::Open.into(),
            line: 9_007_199_254_740_991,
            keys: [("b", "2"), ("a", "1")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
            held_at: Some(prost_types::Timestamp {
                seconds: 1_767_225_600,
                nanos: 500_000_000,
            }),
            ..Default::default()
        };
        let expected = json!({
            "hold_id": "hold_1",
            "reason": "amount_differs",
            "detail": "",
            "state": "open",
            "import_id": "",
            "line": 9_007_199_254_740_991_u64,
            "entry_kind": "",
            "code": "",
            "currency": "",
            "keys": {"a": "1", "b": "2"},
            "transfer_ids": [],
            "failed_position": 0,
            "database": "",
            "attempts": 0,
            "held_at": "2026-01-01T00:00:00.500Z",
            "closed_by": "",
            "note": "",
            "resolved_position": 0,
        });
        // The text too, since maps and fields have an order.
        assert_eq!(of(&hold).unwrap().to_string(), expected.to_string());
    }

    #[test]
    fn messages_and_enums_within_messages_and_lists_are_shortened_as_well() {
        let run = proto::JobRun {
            trigger: proto::JobTrigger::CatchUp.into(),
            files: vec![proto::JobRunFile {
                outcome: proto::JobOutcome::FileLate.into(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let source = proto::JobSource {
            last_run: Some(run),
            ..Default::default()
        };
        let value = of(&source).unwrap();
        assert_eq!(value["last_run"]["trigger"], "catch_up");
        assert_eq!(value["last_run"]["outcome"], "unspecified");
        assert_eq!(value["last_run"]["files"][0]["outcome"], "file_late");
        assert!(value["last_run"].get("ended_at").is_none());
    }

    #[test]
    fn the_prefix_of_every_enum_is_known_by_its_zero_value() {
        for kind in POOL.all_enums() {
            if kind.package_name().starts_with("echeck.") {
                let zero = kind.default_value().name().to_owned();
                let values: Vec<_> = kind.values().collect();
                let prefix = zero.strip_suffix("UNSPECIFIED").unwrap();
                assert!(
                    values.iter().all(|one| one.name().starts_with(prefix)),
                    "{zero}"
                );
            }
        }
    }
}
