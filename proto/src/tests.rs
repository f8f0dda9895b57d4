//! What clients in other languages, and people with grpcurl, rely on.

use std::collections::HashSet;

use prost::Message as _;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet, FileOptions,
};

/// Names that a field cannot have without trouble: keywords of Python, Ruby and Java, and
/// methods that every Ruby object has. Go exports its names, so none of them is a keyword.
const RESERVED: [&str; 6] = [
    "and as assert async await break class continue def del elif else except finally for from \
     global if import in is lambda nonlocal not or pass raise return try while with yield",
    "alias begin case do end ensure module next nil redo rescue retry self super then undef \
     unless until when",
    "abstract boolean byte catch char const default double enum extends final float goto \
     implements instanceof int interface long native new package private protected public short \
     static strictfp switch synchronized this throw throws transient void volatile",
    "false none null true",
    "clone display dup enum_for extend freeze hash inspect itself method methods object_id send \
     tap to_enum to_h to_s",
    "descriptor",
];

fn files() -> Vec<FileDescriptorProto> {
    FileDescriptorSet::decode(super::DESCRIPTOR_SET)
        .unwrap()
        .file
}

fn ours() -> Vec<FileDescriptorProto> {
    let mut files = files();
    files.retain(|file| file.package().starts_with("echeck."));
    assert!(files.len() > 10, "{}", files.len());
    files
}

#[test]
fn no_field_has_a_name_that_a_language_keeps_for_itself() {
    let reserved: HashSet<&str> = RESERVED
        .iter()
        .flat_map(|words| words.split_whitespace())
        .collect();
    for file in ours() {
        for message in &file.message_type {
            let fields = message.field.iter().map(|field| field.name());
            let oneofs = message.oneof_decl.iter().map(|oneof| oneof.name());
            for name in fields.chain(oneofs) {
                assert!(!reserved.contains(name), "{}.{name}", message.name());
            }
        }
    }
}

#[test]
fn every_file_names_its_package_for_go_java_and_ruby() {
    for file in ours() {
        let (_, part) = file.package().split_once('.').unwrap();
        let (area, version) = part.split_once('.').unwrap();
        let capital = |text: &str| text[..1].to_uppercase() + &text[1..];
        let expected = FileOptions {
            go_package: Some(format!("echeck/{area}/{version};{area}{version}")),
            java_package: Some(format!("com.{}", file.package())),
            java_multiple_files: Some(true),
            ruby_package: Some(format!("Echeck::{}::{}", capital(area), capital(version))),
            ..FileOptions::default()
        };
        assert_eq!(file.options.as_ref(), Some(&expected), "{}", file.name());
    }
}

/// The path of every element of a message, as in `SourceCodeInfo`.
fn paths_of_message(message: &DescriptorProto, path: Vec<i32>) -> Vec<Vec<i32>> {
    let field = |index: usize| [&path[..], &[2, i32::try_from(index).unwrap()]].concat();
    let fields: Vec<_> = (0..message.field.len()).map(field).collect();
    [vec![path], fields].concat()
}

fn paths_of_enum(kind: &EnumDescriptorProto, path: Vec<i32>) -> Vec<Vec<i32>> {
    let value = |index: usize| [&path[..], &[2, i32::try_from(index).unwrap()]].concat();
    let values: Vec<_> = (0..kind.value.len()).map(value).collect();
    [vec![path], values].concat()
}

#[test]
fn every_message_field_and_enum_value_that_is_served_has_its_comment() {
    for file in ours() {
        let source = file.source_code_info.as_ref().unwrap();
        let explained: HashSet<&[i32]> = source
            .location
            .iter()
            .filter(|place| !place.leading_comments().is_empty())
            .map(|place| &place.path[..])
            .collect();
        let messages = (0..).zip(&file.message_type);
        let enums = (0..).zip(&file.enum_type);
        let paths = messages
            .flat_map(|(index, message)| paths_of_message(message, vec![4, index]))
            .chain(enums.flat_map(|(index, kind)| paths_of_enum(kind, vec![5, index])));
        for path in paths {
            assert!(explained.contains(&path[..]), "{} {path:?}", file.name());
        }
        for service in 0..file.service.len() {
            let service = i32::try_from(service).unwrap();
            assert!(explained.contains(&[6, service][..]), "{}", file.name());
        }
    }
}

#[test]
fn what_is_not_ours_is_served_without_its_comments() {
    let others: Vec<_> = files()
        .into_iter()
        .filter(|file| !file.package().starts_with("echeck."))
        .collect();
    assert!(!others.is_empty());
    assert!(others.iter().all(|file| file.source_code_info.is_none()));
    // Every answer of reflection carries a file of this: it must stay small.
    assert!(super::DESCRIPTOR_SET.len() < 256 << 10);
}
