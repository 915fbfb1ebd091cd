use sha2::{Digest, Sha256};

/// Sixteen hexadecimal digits that change with the content.
pub fn fingerprint(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn is_the_start_of_the_sha256() {
        assert_eq!(fingerprint(&[b"ab", b"c"]), "ba7816bf8f01cfea");
    }
}
