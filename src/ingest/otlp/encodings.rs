//! Bytes as text: base64 both ways, hexadecimal both ways.

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends `bytes` in base64 with padding.
pub(super) fn put_base64(bytes: &[u8], out: &mut String) {
    for piece in bytes.chunks(3) {
        let byte = |index: usize| u32::from(piece.get(index).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = BASE64.get((word >> (18 - 6 * place) & 63) as usize).copied();
            let is_padding = place > piece.len();
            out.push(if is_padding { '=' } else { char::from(digit.unwrap_or(b'=')) });
        }
    }
}

/// Bytes of base64 text, of the usual alphabet or that of URLs, padded or not. None where it is no
/// such text.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=').as_bytes();
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for piece in text.chunks(4) {
        let mut word = 0;
        for byte in piece {
            word = word << 6 | digit_of_base64(*byte)?;
        }
        let missing = 4 - piece.len();
        if missing == 3 {
            return None;
        }
        let [_, bytes @ ..] = (word << (6 * missing)).to_be_bytes();
        out.extend(bytes.iter().take(3 - missing));
    }
    Some(out)
}

fn digit_of_base64(byte: u8) -> Option<u32> {
    let digit = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(digit))
}

/// Appends `bytes` as hexadecimal digits.
pub(super) fn put_hex(bytes: &[u8], out: &mut String) {
    for nibble in bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
        out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
    }
}

/// Bytes of hexadecimal digits, small or large. None where it is no such text.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn reading_undoes_writing(bytes: Vec<u8>) {
            let (mut base64, mut hex) = (String::new(), String::new());
            put_base64(&bytes, &mut base64);
            put_hex(&bytes, &mut hex);
            prop_assert_eq!(from_base64(&base64), Some(bytes.clone()));
            prop_assert_eq!(from_base64(base64.trim_end_matches('=')), Some(bytes.clone()));
            prop_assert_eq!(from_hex(&hex.to_uppercase()), Some(bytes));
        }

        #[test]
        fn any_text_is_bytes_or_nothing(text: String) {
            let _ = (from_base64(&text), from_hex(&text));
        }
    }

    #[test]
    fn base64_as_rfc_4648_has_it() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            let mut out = String::new();
            put_base64(bytes.as_bytes(), &mut out);
            assert_eq!(out, text);
        }
        assert_eq!(from_base64("A"), None);
        assert_eq!(from_base64("Zm9v!A=="), None);
        assert_eq!(from_base64("-_-_"), from_base64("+/+/"));
        assert_eq!((from_hex("0g"), from_hex("abc")), (None, None));
    }
}
