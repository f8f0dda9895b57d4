use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use pgp::composed::{
    ArmorOptions, EncryptionCaps, KeyType, MessageBuilder, SecretKeyParamsBuilder, SignedSecretKey,
    SubkeyParamsBuilder,
};
use pgp::crypto::sym::SymmetricKeyAlgorithm;
use pgp::types::{CompressionAlgorithm, Password};
use rand_core::OsRng;
use returns_model::incident::Cause;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;
use crate::unwrap::pgp::PgpKey;

const TEXT: &[u8] = b"trace,code\n091000010000001,R01\n";

fn gz(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = SimpleFileOptions::default();
        if name.ends_with('/') {
            writer.add_directory(*name, options).unwrap();
        } else {
            writer.start_file(*name, options).unwrap();
            writer.write_all(content).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

/// A key pair as GnuPG makes it: one key to certify, and one below it to encrypt to.
fn key(passphrase: Option<&str>) -> SignedSecretKey {
    let mut below = SubkeyParamsBuilder::default();
    below
        .key_type(KeyType::ECDH(
            pgp::crypto::ecc_curve::ECCCurve::Curve25519Legacy,
        ))
        .can_encrypt(EncryptionCaps::All)
        .passphrase(passphrase.map(str::to_owned));
    let mut main = SecretKeyParamsBuilder::default();
    main.key_type(KeyType::Ed25519Legacy)
        .can_certify(true)
        .can_sign(true)
        .primary_user_id("returns <returns@example.com>".into())
        .passphrase(passphrase.map(str::to_owned))
        .subkeys(vec![below.build().unwrap()]);
    main.build().unwrap().generate(OsRng).unwrap()
}

fn armored(key: &SignedSecretKey) -> String {
    key.to_armored_string(ArmorOptions::default()).unwrap()
}

/// What GnuPG makes of a file: compressed, signed where `signer` is there, encrypted.
fn encrypted(content: &[u8], to: &SignedSecretKey, signer: Option<&SignedSecretKey>) -> Vec<u8> {
    let public = to.secret_subkeys[0].key.public_key();
    let mut builder = MessageBuilder::from_bytes("returns.csv", content.to_vec())
        .seipd_v1(OsRng, SymmetricKeyAlgorithm::AES256);
    builder.compression(CompressionAlgorithm::ZLIB);
    if let Some(signer) = signer {
        let hash = pgp::crypto::hash::HashAlgorithm::Sha256;
        builder.sign(&signer.primary_key, Password::empty(), hash);
    }
    builder.encrypt_to_key(OsRng, &public).unwrap();
    builder.to_vec(OsRng).unwrap()
}

/// A source whose files are encrypted to `key`, and what is fetched of a file in its folder.
async fn taken_with(
    name: &str,
    content: &[u8],
    key: Option<PgpKey>,
    limit_bytes: u64,
) -> Result<(KeptFile, Vec<u8>), SourceError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), content).unwrap();
    let keys = format!("directory = {:?}\ncomplete = \"rename\"\n", folder.path());
    let mut source = source("folder", &keys);
    source.location.pgp = key;
    let mut session = source.location.open().await.unwrap();
    let file = listed(&mut session, name).await;
    let incidents = IncidentReporter::new();
    let nonce = Uuid::new_v4();
    let fetched = incidents
        .fetch_as(&mut session, &file, &source, limit_bytes, nonce)
        .await;
    let kept = usize::from(fetched.is_ok());
    assert_eq!(incidents.files().len(), kept, "{:?}", incidents.files());
    let new = fetched?;
    let content = incidents.content(&new);
    Ok((new, content))
}

async fn taken(name: &str, content: &[u8]) -> Result<(KeptFile, Vec<u8>), SourceError> {
    taken_with(name, content, None, LIMIT_BYTES).await
}

/// Why a file cannot be opened.
async fn unopenable(name: &str, content: &[u8]) -> String {
    why(taken(name, content).await)
}

fn why(taken: Result<(KeptFile, Vec<u8>), SourceError>) -> String {
    let error = taken.err().unwrap();
    match error.cause() {
        Cause::FileUnopenable { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn gzip_and_zip_are_opened_and_the_import_is_what_is_inside() {
    let (plain, _) = taken("r.csv", TEXT).await.unwrap();
    for (name, wrapped) in [
        ("r.csv.gz", gz(TEXT)),
        ("R.CSV.GZ", gz(TEXT)),
        ("r.zip", zipped(&[("r.csv", TEXT)])),
        ("r.zip", zipped(&[("out/", b""), ("out/../../r.csv", TEXT)])),
        ("r.csv.gz.gz", gz(&gz(TEXT))),
        ("r.zip", zipped(&[("r.csv.gz", &gz(TEXT))])),
        ("r.csv.zip.gz", gz(&zipped(&[("r.csv", TEXT)]))),
    ] {
        let (new, content) = taken(name, &wrapped).await.unwrap();
        assert_eq!(content, TEXT);
        assert_eq!(
            (&new.sha256, new.size_bytes),
            (&plain.sha256, TEXT.len() as u64)
        );
        assert_eq!(new.file_name, name);
    }
    let two = [gz(b"trace,code\n"), gz(b"091000010000001,R01\n")].concat();
    assert_eq!(taken("members.gz", &two).await.unwrap().1, TEXT);
}

#[tokio::test]
async fn what_is_not_what_its_name_says_is_not_opened() {
    let mut torn = gz(TEXT);
    torn.truncate(torn.len() - 4);
    assert!(!unopenable("r.gz", &torn).await.is_empty());
    let mut bent = gz(TEXT);
    let checksum = bent.len() - 8;
    bent[checksum] ^= 1;
    assert!(!unopenable("r.gz", &bent).await.is_empty());
    assert!(
        unopenable("r.zip", TEXT)
            .await
            .contains("not a readable zip archive")
    );
    assert!(unopenable("r.zip", &zipped(&[])).await.contains("0 files"));
    let many: Vec<(String, &[u8])> = (0..1_001).map(|n| (format!("{n}"), TEXT)).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, text)| (&**name, *text)).collect();
    assert!(
        unopenable("r.zip", &zipped(&many))
            .await
            .contains("1001 files")
    );
    let far = zipped(&[(&*"x".repeat(300), TEXT)]);
    assert!(unopenable("r.zip", &far).await.contains("too long"));
    let four = gz(&gz(&gz(&gz(TEXT))));
    let said = unopenable("r.gz.gz.gz.gz", &four).await;
    assert!(said.contains("more than 3 times"), "{said}");
    assert!(taken("r.gz.gz.gz", &gz(&gz(&gz(TEXT)))).await.is_ok());
}

/// An archive whose end record says one file, and refers to a zip64 record that says `entries`.
fn zip64(entries: u64) -> Vec<u8> {
    let mut archive = zipped(&[("r.csv", TEXT)]);
    let end = archive.len() - 22;
    let mut end_record = archive.split_off(end);
    let two = |at: usize| u32::from(u16::from_le_bytes([end_record[at], end_record[at + 1]]));
    let (list_bytes, list_at) = (two(12) | two(14) << 16, two(16) | two(18) << 16);
    let mut record = b"PK\x06\x06".to_vec();
    record.extend(44_u64.to_le_bytes());
    record.extend([45, 0, 45, 0]);
    record.extend([0; 8]);
    record.extend(entries.to_le_bytes());
    record.extend(entries.to_le_bytes());
    record.extend(u64::from(list_bytes).to_le_bytes());
    record.extend(u64::from(list_at).to_le_bytes());
    archive.extend(record);
    archive.extend(b"PK\x06\x07\0\0\0\0");
    archive.extend((end as u64).to_le_bytes());
    archive.extend(1_u32.to_le_bytes());
    end_record[16..20].copy_from_slice(&[0xff; 4]);
    archive.extend(end_record);
    archive
}

#[tokio::test]
async fn a_zip64_list_does_not_go_past_the_limit_of_entries() {
    for entries in [1, 3_000_000] {
        let said = unopenable("r.zip", &zip64(entries)).await;
        assert!(said.contains("zip64"), "{said}");
    }
}

#[tokio::test]
async fn bombs_are_stopped_by_their_ratio_and_by_the_limit() {
    // 70 MB of zeros make 70 KB.
    let bomb = gz(&vec![0; 70 << 20]);
    assert!(bomb.len() < 100_000);
    let said = unopenable("r.csv.gz", &bomb).await;
    assert!(said.contains("it may be a bomb"), "{said}");
    let said = unopenable("r.gz.gz", &gz(&bomb)).await;
    assert!(said.contains("it may be a bomb"), "{said}");
    let said = unopenable("r.zip", &zipped(&[("r.csv", &vec![0; 70 << 20])])).await;
    assert!(said.contains("it may be a bomb"), "{said}");

    let limited = taken_with("r.csv.gz", &gz(&vec![0; 5 << 20]), None, 1 << 20).await;
    let said = why(limited);
    assert!(said.contains("more than 1048576 bytes"), "{said}");
}

#[tokio::test]
async fn encrypted_files_are_opened_with_the_sources_key() {
    let pair = key(None);
    let stored = || Some(PgpKey::fixed(&armored(&pair), None));
    let message = encrypted(TEXT, &pair, None);
    let signed = encrypted(TEXT, &pair, Some(&key(None)));
    let inner = encrypted(&gz(TEXT), &pair, None);
    for (name, wrapped) in [
        ("r.csv.pgp", &message),
        ("r.csv.gpg", &message),
        ("r.csv.pgp", &signed),
        ("r.csv.gz.pgp", &inner),
    ] {
        let taken = taken_with(name, wrapped, stored(), LIMIT_BYTES).await;
        assert_eq!(taken.unwrap().1, TEXT, "{name}");
    }
    let mut builder = MessageBuilder::from_bytes("", TEXT.to_vec())
        .seipd_v1(OsRng, SymmetricKeyAlgorithm::AES128);
    let public = pair.secret_subkeys[0].key.public_key();
    builder.encrypt_to_key(OsRng, &public).unwrap();
    let text = builder
        .to_armored_string(OsRng, ArmorOptions::default())
        .unwrap();
    let taken = taken_with("r.csv.asc", text.as_bytes(), stored(), LIMIT_BYTES).await;
    assert_eq!(taken.unwrap().1, TEXT);
}

/// Made with GnuPG 2.2.40 for this test: `--sign --encrypt --armor` to a key of its own.
#[tokio::test]
async fn what_gnupg_makes_is_opened() {
    let stored = PgpKey::fixed(include_str!("gnupg/key.asc"), None);
    let message = include_bytes!("gnupg/returns.csv.asc");
    let taken = taken_with("returns.csv.asc", message, Some(stored), LIMIT_BYTES).await;
    assert_eq!(taken.unwrap().1, TEXT);
}

#[tokio::test]
async fn a_key_with_a_passphrase_opens_files_and_a_wrong_passphrase_is_a_fault() {
    let pair = key(Some("correct horse"));
    let message = encrypted(TEXT, &pair, None);
    let right = PgpKey::fixed(&armored(&pair), Some("correct horse"));
    let taken = taken_with("r.pgp", &message, Some(right), LIMIT_BYTES).await;
    assert_eq!(taken.unwrap().1, TEXT);

    for wrong in [Some("CANARY"), None] {
        let stored = PgpKey::fixed(&armored(&pair), wrong);
        let error = taken_with("r.pgp", &message, Some(stored), LIMIT_BYTES)
            .await
            .unwrap_err();
        let key = "pgp_private_key";
        assert!(
            matches!(&error, SourceError::Credential { key: k, .. } if *k == key),
            "{error}"
        );
        assert!(!error.to_string().contains("CANARY"));
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.asc");
    echeck_service::privacy::create_secret(&file, &armored(&pair).into()).unwrap();
    let keys = format!("directory = \"/in\"\npgp_private_key_file = {file:?}\n");
    let fault = configured("folder", &keys).err().unwrap().to_string();
    assert!(
        fault.contains("its passphrase is wrong or missing"),
        "{fault}"
    );
    source(
        "folder",
        &format!("{keys}pgp_passphrase = \"correct horse\"\n"),
    );
}

#[tokio::test]
async fn messages_for_others_tampered_and_unencrypted_ones_are_not_opened() {
    let pair = key(None);
    let stored = || Some(PgpKey::fixed(&armored(&pair), None));
    let message = encrypted(TEXT, &pair, None);
    assert!(
        unopenable("r.pgp", &message)
            .await
            .contains("pgp_private_key")
    );

    let others = encrypted(TEXT, &key(None), None);
    let said = why(taken_with("r.pgp", &others, stored(), LIMIT_BYTES).await);
    assert!(said.contains("cannot be decrypted with our key"), "{said}");

    // The last bytes are the message's own checksum, and what is before it is the text.
    for back in [1, 10, 30] {
        let mut bent = message.clone();
        let at = bent.len() - back;
        bent[at] ^= 1;
        why(taken_with("r.pgp", &bent, stored(), LIMIT_BYTES).await);
        let mut torn = message.clone();
        torn.truncate(at);
        why(taken_with("r.pgp", &torn, stored(), LIMIT_BYTES).await);
    }

    let plain = MessageBuilder::from_bytes("", TEXT.to_vec())
        .to_vec(OsRng)
        .unwrap();
    let said = why(taken_with("r.pgp", &plain, stored(), LIMIT_BYTES).await);
    assert!(said.contains("not encrypted"), "{said}");
    let said = why(taken_with("r.pgp", TEXT, stored(), LIMIT_BYTES).await);
    assert!(said.contains("not an OpenPGP message"), "{said}");

    // A bomb in a message is a bomb too.
    let bomb = encrypted(&vec![0; 70 << 20], &pair, None);
    let said = why(taken_with("r.pgp", &bomb, stored(), LIMIT_BYTES).await);
    assert!(said.contains("it may be a bomb"), "{said}");
}

/// The files that an archive in a folder is taken as, and what is left in the spool.
async fn all_taken(name: &str, content: &[u8]) -> (Result<Vec<KeptFile>, SourceError>, usize) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), content).unwrap();
    let keys = format!("directory = {:?}\ncomplete = \"rename\"\n", folder.path());
    let bank = source("folder", &keys);
    let mut session = bank.location.open().await.unwrap();
    let file = listed(&mut session, name).await;
    let incidents = IncidentReporter::new();
    let clock: SharedClock = Arc::new(SystemClock);
    let (spool, nonce) = (&incidents.spool, Uuid::new_v4());
    let fetched = session
        .fetch(&file, spool, &bank.source, LIMIT_BYTES, nonce, &clock)
        .await;
    (fetched, incidents.files().len())
}

#[tokio::test]
async fn each_file_of_an_archive_is_taken() {
    let two = include_bytes!("files/zip_of_two.zip");
    let (fetched, kept) = all_taken("d25.zip", two).await;
    let new = fetched.unwrap();
    let names: Vec<&str> = new.iter().map(|new| &*new.file_name).collect();
    assert_eq!(names, ["d25.zip/a.ach", "d25.zip/b.ach"]);
    assert!(new.iter().all(|new| new.size_bytes == 950));
    assert_eq!(kept, 2);
    // The same bytes twice, compressed once more, and what macOS adds.
    let wrapped = [
        ("out/", b"".as_slice()),
        ("out/a.csv", TEXT),
        ("out/b.csv.gz", &gz(TEXT)),
        ("__MACOSX/out/._a.csv", b"junk"),
    ];
    let (fetched, kept) = all_taken("r.zip", &zipped(&wrapped)).await;
    let new = fetched.unwrap();
    let names: Vec<&str> = new.iter().map(|new| &*new.file_name).collect();
    assert_eq!(names, ["r.zip/out/a.csv", "r.zip/out/b.csv.gz"]);
    assert_eq!(new[0].sha256, new[1].sha256);
    assert_eq!(kept, 2, "each has a spool file of its own");
}

#[tokio::test]
async fn an_archive_of_which_one_file_cannot_be_opened_leaves_nothing() {
    let files = zipped(&[("a.csv", TEXT), ("b.csv.gz", b"no gzip")]);
    let (fetched, kept) = all_taken("r.zip", &files).await;
    assert!(matches!(fetched, Err(SourceError::Unopenable { .. })));
    assert_eq!(kept, 0);
}
