//! Tables of 16-bit numbers out of the bytes that the program carries.

/// Little-endian numbers, decoded while compiling, so that the table is usable as it stands on any machine.
pub(super) const fn words<const N: usize>(bytes: &[u8]) -> [u16; N] {
    assert!(bytes.len() == N * 2);
    let mut out = [0; N];
    let mut at = 0;
    while at < N {
        out[at] = u16::from_le_bytes([bytes[at * 2], bytes[at * 2 + 1]]);
        at += 1;
    }
    out
}
