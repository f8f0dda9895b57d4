use super::*;

fn spool() -> (tempfile::TempDir, Spool) {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), &Spool::new_identity()).unwrap();
    (folder, spool)
}

#[test]
fn a_kept_file_reads_back_and_is_not_in_clear_on_disk() {
    let (folder, spool) = spool();
    let mut incoming = spool.begin("a").unwrap();
    incoming.write(b"account 123456789").unwrap();
    incoming.keep("a.age").unwrap();

    let on_disk = fs::read(folder.path().join("a.age")).unwrap();
    assert!(!on_disk.windows(9).any(|window| window == b"123456789"));
    let mut text = String::new();
    spool
        .read("a.age")
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "account 123456789");
}

#[test]
fn a_file_that_is_not_kept_leaves_nothing() {
    let (folder, spool) = spool();
    let mut incoming = spool.begin("a").unwrap();
    incoming.write(b"half").unwrap();
    drop(incoming);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_is_read_back_can_be_sought_in_and_leaves_nothing() {
    let (folder, spool) = spool();
    let mut incoming = spool.begin("a").unwrap();
    let text: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    incoming.write(&text).unwrap();
    let mut back = incoming.read_back(&spool).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

    back.seek(SeekFrom::End(-4)).unwrap();
    let mut last = [0; 4];
    back.read_exact(&mut last).unwrap();
    assert_eq!(u32::from_le_bytes(last), 199_999);
    back.rewind().unwrap();
    let mut all = Vec::new();
    back.read_to_end(&mut all).unwrap();
    assert!(all == text);
}

#[test]
fn a_recipient_opens_it_with_their_own_key_and_the_service_with_its_own() {
    let (folder, spool) = spool();
    let staff = x25519::Identity::generate();
    let spool = spool.with_recipients(&[staff.to_public()]);
    let mut incoming = spool.begin("a").unwrap();
    incoming.write(b"a return").unwrap();
    incoming.keep("a.age").unwrap();
    let file = File::open(folder.path().join("a.age")).unwrap();
    let decryptor = age::Decryptor::new(file).unwrap();
    let opened = decryptor.decrypt(std::iter::once(&staff as &dyn age::Identity));
    for mut reader in [
        Box::new(opened.unwrap()) as Box<dyn Read>,
        Box::new(spool.read("a.age").unwrap()),
    ] {
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "a return");
    }
}

#[test]
fn another_key_does_not_open_it() {
    let (folder, spool) = spool();
    spool.begin("a").unwrap().keep("a.age").unwrap();
    let other = Spool::open(folder.path(), &Spool::new_identity()).unwrap();
    assert!(matches!(other.read("a.age"), Err(SpoolError::Key { .. })));
}

#[test]
fn a_file_is_encrypted_again_and_the_old_key_may_go() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new] = [Spool::new_identity(), Spool::new_identity()];
    let before = Spool::open(folder.path(), &old).unwrap();
    let name = before.name("abc", uuid::Uuid::nil());
    let mut file = before.begin(&name).unwrap();
    file.write(&[7; 200_000]).unwrap();
    file.keep(&name).unwrap();
    let both = format!("{}\n{}", new.expose_secret(), old.expose_secret());
    let both = Spool::open(folder.path(), &both.into()).unwrap();
    assert_eq!(
        both.encrypted_before().unwrap(),
        std::slice::from_ref(&name)
    );
    let again = both.encrypt_again(&name).unwrap();
    both.forget(&name).unwrap();
    assert_eq!(both.encrypted_before().unwrap(), [""; 0]);
    let after = Spool::open(folder.path(), &new).unwrap();
    let mut bytes = Vec::new();
    after.read(&again).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, [7; 200_000]);
    assert!(before.read(&again).is_err());
}
