//! Texts: UTF-16 and code page 1252 on the wire, UTF-8 in PostgreSQL.
//!
//! PostgreSQL stores neither U+0000 nor half of a surrogate pair, SQL Server both: U+E000 stands for
//! the one and U+EDC0 for the other (on the wire 0xD800) in what is stored.

use bytes::{BufMut, BytesMut};

const STORED_NUL: char = '\u{E000}';
const STORED_SURROGATE: char = '\u{EDC0}';
const LONE_SURROGATE: u16 = 0xD800;

/// The characters of 0x80 to 0x9F.
const CODE_PAGE_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

/// As the wire has it, from what is stored.
pub fn put_utf16(buffer: &mut BytesMut, stored: &str) {
    for character in stored.chars() {
        match character {
            STORED_NUL => buffer.put_u16_le(0),
            STORED_SURROGATE => buffer.put_u16_le(LONE_SURROGATE),
            character => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    buffer.put_u16_le(*unit);
                }
            }
        }
    }
}

/// To be stored, from the wire.
pub fn from_utf16(wire: &[u8]) -> String {
    let units = wire.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    let characters = char::decode_utf16(units).map(|character| match character {
        Ok('\0') => STORED_NUL,
        Ok(character) => character,
        Err(_) => STORED_SURROGATE,
    });
    characters.collect()
}

/// As a varchar has it; a question mark for what the code page lacks.
pub fn put_1252(buffer: &mut BytesMut, stored: &str) {
    for character in stored.chars() {
        let byte = match u32::from(character) {
            _ if character == STORED_NUL => 0,
            code @ (0..0x80 | 0xA0..0x100) => code as u8,
            _ => {
                let place = CODE_PAGE_1252.iter().position(|c| *c == character);
                place.map_or(b'?', |place| 0x80 + place as u8)
            }
        };
        buffer.put_u8(byte);
    }
}

/// To be stored, from a varchar.
pub fn from_1252(wire: &[u8]) -> String {
    let character = |byte: &u8| match byte {
        0 => STORED_NUL,
        0x80..0xA0 => CODE_PAGE_1252[usize::from(byte - 0x80)],
        byte => char::from(*byte),
    };
    wire.iter().map(character).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_postgresql_cannot_store_has_a_stand_in() {
        let wire = [0x41, 0, 0, 0, 0, 0xD8, 0x42, 0];
        assert_eq!(from_utf16(&wire), "A\u{E000}\u{EDC0}B");
        let mut back = BytesMut::new();
        put_utf16(&mut back, "A\u{E000}\u{EDC0}B");
        assert_eq!(back[..], wire);
    }

    #[test]
    fn the_code_page_goes_both_ways() {
        let all: Vec<u8> = (0..=255).collect();
        let mut back = BytesMut::new();
        put_1252(&mut back, &from_1252(&all));
        assert_eq!(back[..], all);
        back.clear();
        put_1252(&mut back, "✓");
        assert_eq!(back[..], *b"?");
    }
}
