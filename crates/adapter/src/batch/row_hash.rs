//! The hash of a journal row.

/// The hash of a journal row: 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowHash([u8; 32]);

impl RowHash {
    /// Stands in for a hash after a violation, which refuses the batch.
    pub(super) const PLACEHOLDER: Self = Self([0; 32]);

    /// A hash from its bytes; `None` unless there are 32.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Reads 64 hexadecimal digits.
    pub(crate) fn from_hex(hex: &str) -> Option<Self> {
        let digits = hex.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// 64 hexadecimal digits.
    pub fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The bytes, for the wire.
    pub(crate) fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_survives_hex() {
        let hash = RowHash::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap();
        assert_eq!(RowHash::from_hex(&hash.to_hex()), Some(hash));
        assert_eq!(RowHash::from_hex("zz"), None);
        assert_eq!(RowHash::from_hex(&"+1".repeat(32)), None);
    }
}
