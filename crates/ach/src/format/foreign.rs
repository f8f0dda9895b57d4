//! What a file is that is no file of returns: it is called by its name in the refusal, with what to
//! do about it.

use std::fmt;

/// The bytes of a file's beginning that are looked at.
pub(in crate::format) const HEAD: usize = 1024;

/// A format that is known by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format) enum Foreign {
    Gzip,
    Pgp,
    Utf16,
    Ebcdic,
    Pdf,
    Workbook,
    OldWorkbook,
    Rtf,
    Edifact,
    SevenZip,
    Zip,
    WebPage,
    Iso20022,
    Xml,
    Json,
    X12,
    Bai2,
}

/// What it is, and what to do about it.
impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "it is compressed with gzip; unpack it first",
            Self::Pgp => "it is encrypted or signed with PGP; decrypt it first",
            Self::Utf16 => "it is UTF-16; ask for ASCII or UTF-8",
            Self::Ebcdic => "it is EBCDIC; ask for ASCII or UTF-8",
            Self::Pdf => "it is a PDF; choose NACHA or CSV where the report is downloaded",
            Self::Workbook => {
                "it is an Excel workbook; its source needs format = \"excel\" and a profile"
            }
            Self::OldWorkbook => {
                "it is a workbook of Excel before 2007 (.xls), or is locked with a password; save it as \
                 .xlsx or CSV"
            }
            Self::Rtf => "it is an RTF document; ask for NACHA or CSV",
            Self::Edifact => "it is EDIFACT; ask for NACHA or CSV",
            Self::SevenZip => "it is a 7z archive; unpack it first",
            Self::Zip => "it is a zip archive; unpack it first",
            Self::WebPage => {
                "it is a web page (HTML), probably a login or an error; fetch the file again with a \
                 session that is logged in"
            }
            Self::Iso20022 => {
                "it is ISO 20022 (XML, such as camt.053); its source needs format = \"iso20022\""
            }
            Self::Xml => "it is XML, but not of ISO 20022; ask for NACHA or CSV",
            Self::Json => "it is JSON; its source needs format = \"json\" and a profile",
            Self::X12 => "it is X12 EDI (such as an 827); its source needs format = \"x12\"",
            Self::Bai2 => "it is BAI2, a report of balances; its source needs format = \"bai2\"",
        })
    }
}

const BY_FIRST_BYTES: [(&[u8], Foreign); 11] = [
    (b"\x1F\x8B", Foreign::Gzip),
    (b"-----BEGIN PGP", Foreign::Pgp),
    (b"\xFF\xFE", Foreign::Utf16),
    (b"\xFE\xFF", Foreign::Utf16),
    (b"\xF1\xF0\xF1", Foreign::Ebcdic),
    (b"%PDF-", Foreign::Pdf),
    (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", Foreign::OldWorkbook),
    (b"{\\rtf", Foreign::Rtf),
    (b"UNA:", Foreign::Edifact),
    (b"UNB+", Foreign::Edifact),
    (b"7z\xBC\xAF\x27\x1C", Foreign::SevenZip),
];

/// What the file is, by its first bytes; `None` when it may be a file of records and rows.
pub(in crate::format) fn named(head: &[u8]) -> Option<Foreign> {
    let head = &head[..head.len().min(HEAD)];
    let mut known = BY_FIRST_BYTES.iter();
    if let Some((_, named)) = known.find(|(magic, _)| head.starts_with(magic)) {
        return Some(*named);
    }
    if head.starts_with(b"PK\x03\x04") {
        let is_workbook = contains(head, b"xl/") || contains(head, b"[content_types].xml");
        return Some(if is_workbook {
            Foreign::Workbook
        } else {
            Foreign::Zip
        });
    }
    if is_ebcdic(head) {
        return Some(Foreign::Ebcdic);
    }
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    markup(text.trim_ascii_start())
}

/// How the elements of a web page begin.
const OF_PAGES: [&[u8]; 8] = [
    b"<html", b"<head", b"<body", b"<title", b"<table", b"<meta", b"<div", b"<script",
];

/// Whether an element begins so, and has no longer name, as `<header` has.
fn has_tag(text: &[u8], tag: &[u8]) -> bool {
    let mut windows = text.windows(tag.len() + 1);
    windows.any(|window| {
        let (start, after) = window.split_at(tag.len());
        start.eq_ignore_ascii_case(tag)
            && matches!(after, [b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n'])
    })
}

/// What a text is that has a syntax of its own.
fn markup(text: &[u8]) -> Option<Foreign> {
    let begins = |word: &[u8]| {
        text.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    if let [b'<', b'?' | b'!' | b'a'..=b'z' | b'A'..=b'Z', ..] = text {
        if contains(text, b"urn:iso:std:iso:20022") || contains(text, b"camt.05") {
            return Some(Foreign::Iso20022);
        }
        if contains(text, b"<!doctype html") || OF_PAGES.iter().any(|tag| has_tag(text, tag)) {
            return Some(Foreign::WebPage);
        }
        // A document of ISO 20022 in a namespace of somebody else is told by its reader.
        let is_document = begins(b"<document");
        let is_xml =
            begins(b"<?xml") || !is_document && (contains(text, b"</") || contains(text, b"/>"));
        return is_xml.then_some(Foreign::Xml);
    }
    if let [b'{' | b'[', rest @ ..] = text
        && let Some(b'{' | b'[' | b'"' | b'}' | b']') = rest.trim_ascii_start().first()
    {
        return Some(Foreign::Json);
    }
    if let [b'I', b'S', b'A', separator, ..] = text
        && separator.is_ascii_punctuation()
        && text.iter().filter(|byte| *byte == separator).count() >= 16
    {
        return Some(Foreign::X12);
    }
    let mut lines = text.split(|byte| matches!(byte, b'\r' | b'\n'));
    let mut lines = lines.by_ref().filter(|line| !line.is_empty());
    let (first, second) = (lines.next()?, lines.next()?);
    let is_bai = first.starts_with(b"01,") && first.trim_ascii_end().ends_with(b"/");
    (is_bai && second.starts_with(b"02,")).then_some(Foreign::Bai2)
}

/// Whether nearly all bytes are the letters, digits and blanks of EBCDIC.
fn is_ebcdic(head: &[u8]) -> bool {
    let is_letter = |byte: &&u8| {
        matches!(byte, 0x40 | 0x81..=0x89 | 0x91..=0x99 | 0xA2..=0xA9 | 0xC1..=0xC9)
            || matches!(byte, 0xD1..=0xD9 | 0xE2..=0xE9 | 0xF0..=0xF9)
    };
    let high = head.iter().filter(|byte| **byte >= 0x80).count();
    head.len() >= 20
        && 2 * high > head.len()
        && 10 * head.iter().filter(is_letter).count() > 8 * head.len()
        && std::str::from_utf8(head).is_err_and(|error| error.valid_up_to() < head.len() / 2)
}

/// Whether `part`, in small letters, stands in `text` in any.
fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len())
        .any(|window| window.eq_ignore_ascii_case(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_of_returns_is_called_by_its_name() {
        let isa = format!(
            "ISA*00*{:10}*00*{:10}*ZZ*A*ZZ*B*260706*0215*U*00401*1*0*P*>~",
            "", ""
        );
        let workbook = b"PK\x03\x04\x14\0\x06\0[Content_Types].xml";
        let ebcdic =
            b"\xC3\x81\xA2\x85\x40\xC9\x84\x6B\xD9\x85\x81\xA2\x96\x95\x40\xC3\x96\x84\x85\xF1";
        let cases: [(&[u8], &str); 18] = [
            (b"\x1F\x8B\x08\0", "gzip"),
            (b"PK\x03\x04\x14\0", "zip archive"),
            (workbook, "Excel"),
            (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0", "Excel"),
            (b"-----BEGIN PGP MESSAGE-----", "PGP"),
            (b"%PDF-1.7\n%\xE2\xE3", "PDF"),
            (b"\r\n<!DOCTYPE html>\n<title>Sign in</title>", "login"),
            (b"<!-- portal --><table><tr><td>R01</td></tr></table>", "login"),
            (b"<META charset=utf-8>Sign in", "login"),
            (b"<header><dividend/><metadata/></header>", "XML"),
            (b"<returns><return code=\"R01\"/></returns>", "XML"),
            (b"<?xml version=\"1.0\"?><returns/>", "XML"),
            (b"<?xml version=\"1.0\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053\">", "ISO 20022"),
            (b"\xEF\xBB\xBF[ { \"code\": \"R01\" } ]", "JSON"),
            (b"{}", "JSON"),
            (b"01,FIRSTLAKE,ORCHARD,260706,0215,1,,,2/\r\n02,ORCHARD,071000301,1,260706,,USD/", "BAI2"),
            (isa.as_bytes(), "X12"),
            (ebcdic, "EBCDIC"),
        ];
        for (head, name) in cases {
            let seen = named(head);
            assert!(
                seen.is_some_and(|seen| seen.to_string().contains(name)),
                "{name}: {seen:?}"
            );
        }
    }

    #[test]
    fn files_of_returns_and_the_lines_around_them_have_no_other_name() {
        let cases: [&[u8]; 9] = [
            b"101 06100005200710003012607060215A094101",
            b"[FIRST LAKE BANK] RETURNS",
            b"<<< RETURNS FOLLOW >>>",
            b"01,R01,1.00\n02,R02,2.00\n",
            b"ISA,R01,1.00",
            b"id,code,amount\n",
            "né,ça,àé,éé,ùù,êê,ôô,îî,ûû".as_bytes(),
            b"Andr\xE9,Ren\xE9e,Fran\xE7ois,No\xEBl\n",
            b"",
        ];
        for head in cases {
            assert_eq!(named(head), None, "{head:?}");
        }
    }
}
