//! Code pages: which characters a `varchar` column has, and in how many bytes.

use encoding_rs::{
    BIG5, EUC_KR, Encoding, GBK, SHIFT_JIS, WINDOWS_874, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252,
    WINDOWS_1253, WINDOWS_1254, WINDOWS_1255, WINDOWS_1256, WINDOWS_1257, WINDOWS_1258,
};

use super::refusal::Refusal;

const LACKING: Refusal = Refusal::new("has a character that the column's code page lacks");
const UNKNOWN: Refusal = Refusal::new(
    "has a character beyond ASCII, and the column's code page is none that tidegate can check",
);

/// A code page by its Windows number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Page(u16);

impl Page {
    /// Windows-1252, of most of the older databases in the West.
    pub const WESTERN: Self = Self(1252);
    /// UTF-8, of the collations whose names end so.
    pub const UTF8: Self = Self(65001);

    /// The page of that number; of one that can't be, only ASCII is known.
    pub fn of(number: i32) -> Self {
        Self(u16::try_from(number).unwrap_or(0))
    }

    /// How many bytes `text` takes, if the page has all its characters.
    pub(crate) fn bytes(self, text: &str) -> Result<usize, Refusal> {
        if text.is_ascii() || self == Self::UTF8 {
            return Ok(text.len());
        }
        let encoding = self.encoding().ok_or(UNKNOWN)?;
        let (bytes, _, lacking) = encoding.encode(text);
        // Some of the tables fold characters together on the way there.
        let (back, _) = encoding.decode_without_bom_handling(&bytes);
        match !lacking && back == text {
            true => Ok(bytes.len()),
            false => Err(LACKING),
        }
    }

    fn encoding(self) -> Option<&'static Encoding> {
        Some(match self.0 {
            874 => WINDOWS_874,
            932 => SHIFT_JIS,
            936 => GBK,
            949 => EUC_KR,
            950 => BIG5,
            1250 => WINDOWS_1250,
            1251 => WINDOWS_1251,
            1252 => WINDOWS_1252,
            1253 => WINDOWS_1253,
            1254 => WINDOWS_1254,
            1255 => WINDOWS_1255,
            1256 => WINDOWS_1256,
            1257 => WINDOWS_1257,
            1258 => WINDOWS_1258,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_measured_in_the_bytes_of_its_page() {
        for (page, text, bytes) in [
            (1252, "Zürich €", Ok(8)),
            (65001, "Zürich €", Ok(11)),
            (932, "東京", Ok(4)),
            (1251, "Москва", Ok(6)),
            (850, "Zurich", Ok(6)),
            (850, "Zürich", Err(UNKNOWN)),
            (0, "Zürich", Err(UNKNOWN)),
            (1252, "Москва", Err(LACKING)),
            (1252, "🙂", Err(LACKING)),
            // Shift_JIS would make a backslash of it.
            (932, "¥", Err(LACKING)),
        ] {
            assert_eq!(Page::of(page).bytes(text), bytes, "{page}");
        }
    }
}
