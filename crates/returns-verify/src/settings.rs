//! `[journal]` of the configuration.

use std::time::Duration;

use echeck_service::config::Section;

use crate::CheckpointKey;

/// How the journal is proven, and how often.
pub struct JournalSettings {
    /// The key that signs checkpoints; without one nothing proves where the journal ends.
    pub key: Option<CheckpointKey>,
    pub checkpoint_every: Duration,
    pub verify_every: Duration,
}

impl JournalSettings {
    /// Reads `[journal]`. A key needs a bucket, since that is where checkpoints are.
    pub fn read(root: &Section<'_>) -> Self {
        let section = root.section("journal");
        let earlier = section.strings_or("earlier_public_keys", &[]);
        let key = section.secret("signing_key").and_then(|text| {
            CheckpointKey::read(&text, &earlier)
                .map_err(|why| section.fault("signing_key", why))
                .ok()
        });
        if key.is_some() && !root.has("bucket") {
            section.fault(
                "signing_key",
                "needs [bucket], where the signed checkpoints are put",
            );
        }
        Self {
            key,
            checkpoint_every: section.duration_ms_or(
                "checkpoint_every_ms",
                300_000,
                10..=86_400_000,
            ),
            verify_every: section.duration_ms_or("verify_every_ms", 86_400_000, 10..=604_800_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use echeck_service::config::Settings;
    use secrecy::ExposeSecret as _;

    use super::*;

    fn read(text: &str) -> Result<JournalSettings, String> {
        let settings = Settings::from_toml(text).unwrap();
        let read = JournalSettings::read(&settings.root());
        let finished = settings.finish().map(|()| read);
        finished.map_err(|error| error.to_string())
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.key");
        let key = crate::new_signing_key().unwrap();
        std::fs::write(&path, key.expose_secret()).unwrap();
        let text =
            format!("[bucket]\nurl = \"file:///b\"\n[journal]\nsigning_key_file = {path:?}\n");
        let mode = |mode| {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&path, mode).unwrap();
        };
        mode(0o644);
        let refused = read(&text).err().unwrap();
        assert!(refused.contains("journal.signing_key_file"), "{refused}");
        assert!(refused.contains("is open to other users"), "{refused}");
        mode(0o600);
        let settings = Settings::from_toml(&text).unwrap();
        let read = JournalSettings::read(&settings.root());
        assert!(read.key.is_some());
    }

    #[test]
    fn a_wrong_key_is_told_without_a_word_of_it() {
        let refused = read("[bucket]\nurl = \"file:///b\"\n[journal]\nsigning_key = \"CANARY\"\n");
        let refused = refused.err().unwrap();
        assert!(refused.contains("journal.signing_key"), "{refused}");
        assert!(!refused.contains("CANARY"), "{refused}");
    }

    #[test]
    fn a_key_without_a_bucket_is_a_fault() {
        let key = crate::new_signing_key().unwrap();
        let text = format!("[journal]\nsigning_key = {:?}\n", key.expose_secret());
        assert!(read(&text).err().unwrap().contains("needs [bucket]"));
    }
}
