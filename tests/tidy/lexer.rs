//! Just enough of Rust's grammar to tell code from comments and texts.

use std::ops::Range;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Code,
    Comment,
    Text,
}

/// `source` with comments and the contents of texts blanked; offsets and lines stay.
pub(crate) fn code(source: &str) -> String {
    let mut bytes = source.as_bytes().to_vec();
    for (piece, range) in pieces(source) {
        if piece != Piece::Code {
            bytes[range].iter_mut().filter(|b| **b != b'\n').for_each(|b| *b = b' ');
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// The contents of the string literals, as written, each with its offset.
pub(crate) fn texts(source: &str) -> Vec<(usize, &str)> {
    let texts = pieces(source).into_iter().filter(|(piece, _)| *piece == Piece::Text);
    texts.map(|(_, range)| (range.start, &source[range])).collect()
}

/// The line of an offset, counted from 1.
pub(crate) fn line(source: &str, offset: usize) -> usize {
    source[..offset].matches('\n').count() + 1
}

/// Where the `#[cfg(test)] mod …` block begins that ends the file; the file's end if there is none.
pub(crate) fn tests_at(source: &str) -> usize {
    let code = code(source);
    let starts = code.match_indices("#[cfg(test)]\n").map(|(at, _)| at);
    let is_last = |at: usize| {
        let item = code[at..].lines().find(|line| !line.starts_with("#["));
        let end = code[at..].find("\n}\n").map(|end| at + end + 3);
        item.is_some_and(|item| item.starts_with("mod ") && item.ends_with('{'))
            && end.is_some_and(|end| code[end..].trim().is_empty())
    };
    let mut starts = starts.filter(|&at| (at == 0 || code[..at].ends_with('\n')) && is_last(at));
    starts.next().unwrap_or(source.len())
}

fn pieces(source: &str) -> Vec<(Piece, Range<usize>)> {
    let mut pieces = Vec::new();
    let (mut at, mut code_from) = (0, 0);
    while at < source.len() {
        let Some((piece, inner, end)) = token(source, at) else {
            at += source[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        };
        pieces.push((Piece::Code, code_from..inner.start));
        pieces.push((piece, inner.clone()));
        (at, code_from) = (end, inner.end);
    }
    pieces.push((Piece::Code, code_from..source.len()));
    pieces
}

/// The comment or text that begins at `at`: its contents, and where it ends.
fn token(source: &str, at: usize) -> Option<(Piece, Range<usize>, usize)> {
    let rest = &source[at..];
    if rest.starts_with("//") {
        let end = at + rest.find('\n').unwrap_or(rest.len());
        return Some((Piece::Comment, at..end, end));
    }
    if rest.starts_with("/*") {
        let end = at + block_comment(rest);
        return Some((Piece::Comment, at..end, end));
    }
    if let Some(hashes) = raw_string(source, at) {
        let start = at + hashes + 2;
        let closing = format!("\"{}", "#".repeat(hashes));
        let end = start + source[start..].find(&closing).unwrap_or(source.len() - start);
        return Some((Piece::Text, start..end, (end + closing.len()).min(source.len())));
    }
    if let Some(text) = rest.strip_prefix('"') {
        let end = at + 1 + until_quote(text, '"');
        return Some((Piece::Text, at + 1..end, (end + 1).min(source.len())));
    }
    let char_literal = rest.starts_with("'\\")
        || rest.starts_with('\'') && rest.chars().nth(2).is_some_and(|third| third == '\'');
    if char_literal {
        let end = at + 1 + until_quote(&rest[1..], '\'');
        // A character is no text that a rule looks at.
        return Some((Piece::Comment, at + 1..end, (end + 1).min(source.len())));
    }
    None
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The number of `#` of the raw string whose `r` is at `at`.
fn raw_string(source: &str, at: usize) -> Option<usize> {
    let before = source[..at].trim_end_matches(['b', 'c']);
    let in_a_name = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let rest = source[at..].strip_prefix('r')?;
    let opening = rest.trim_start_matches('#');
    (!in_a_name && opening.starts_with('"')).then_some(rest.len() - opening.len())
}

fn until_quote(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at,
            _ => {}
        }
    }
    text.len()
}

#[test]
fn code_comments_and_texts_are_told_apart() {
    for (source, expected) in [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        (r#"f("a \" b", x)"#, r#"f("      ", x)"#),
        (r###"f(r#"a " b"#, x)"###, r###"f(r#"     "#, x)"###),
        (r#"f(br"\", x)"#, r#"f(br" ", x)"#),
        ("f('\"', '\\'', 'ü', &'a str)", "f(' ', '  ', '  ', &'a str)"),
        ("for r in attr { 'x: loop {} }", "for r in attr { 'x: loop {} }"),
        ("f(\"// no comment\") // one", "f(\"             \")       "),
    ] {
        assert_eq!(code(source), expected, "{source}");
    }
    assert_eq!(texts(r#"f("a", 'b', r"c") // "d""#), [(3, "a"), (14, "c")]);
}

#[test]
fn the_trailing_test_block_is_found() {
    let block = "#[cfg(test)]\n#[allow(x)]\nmod tests {\n    const X: &str = \"\n}\n\";\n}\n";
    assert_eq!(tests_at(&format!("fn a() {{}}\n{block}")), 10);
    for whole in [format!("{block}fn b() {{}}\n"), "#[cfg(test)]\nmod tests;\n".to_owned()] {
        assert_eq!(tests_at(&whole), whole.len(), "{whole}");
    }
}
