//! T-SQL in tokens.

use super::errors::SqlError;

/// A token; comments and white space are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// As it is written: a keyword, a name, or a `#temp` table.
    Word(String),
    /// Of `[x]]y]` or `"x""y"`.
    Quoted(String),
    Text(String),
    Number(String),
    /// Of `0x…`, the digits.
    Bytes(String),
    /// With its `@` or `@@`.
    Variable(String),
    Symbol(&'static str),
}

use Token::*;

const SYMBOLS: [&str; 28] = [
    "<>", "!=", "<=", ">=", "!<", "!>", "+=", "-=", "::", "(", ")", ",", ";", ".", "=", "<", ">",
    "+", "-", "*", "/", "%", "&", "|", "^", "~", ":", "!",
];

impl Token {
    /// Whether it is this keyword, given in capitals.
    pub fn is(&self, keyword: &str) -> bool {
        matches!(self, Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    pub fn is_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is(keyword))
    }

    /// Whether it is one of these keywords, given in capitals with spaces between them.
    pub fn is_in(&self, keywords: &str) -> bool {
        matches!(self, Word(word) if lists(keywords, &word.to_ascii_uppercase()))
    }

    pub fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self, Symbol(s) if *s == symbol)
    }
}

/// Whether a list of words in capitals has this one.
pub fn lists(words: &str, word: &str) -> bool {
    words.split(' ').any(|listed| listed == word)
}

/// The tokens of a batch.
pub fn tokens(batch: &str) -> Result<Vec<Token>, SqlError> {
    let mut rest = batch;
    let mut tokens = Vec::new();
    loop {
        rest = after_blanks(rest)?;
        if rest.is_empty() {
            return Ok(tokens);
        }
        let (token, after) = token(rest)?;
        // WITHIN GROUP is one keyword here: a GROUP begins a clause.
        if !(token.is("GROUP") && tokens.last().is_some_and(|last: &Token| last.is("WITHIN"))) {
            tokens.push(token);
        }
        rest = after;
    }
}

fn after_blanks(text: &str) -> Result<&str, SqlError> {
    let mut rest = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}');
    loop {
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once('\n').map_or("", |(_, after)| after);
        } else if rest.starts_with("/*") {
            rest = after_comment(rest)?;
        } else {
            return Ok(rest);
        }
        rest = rest.trim_start();
    }
}

/// They can stand in each other.
fn after_comment(text: &str) -> Result<&str, SqlError> {
    let (mut rest, mut depth) = (text, 0);
    loop {
        let at = rest.find(['/', '*']).ok_or_else(|| unclosed("/*"))?;
        rest = &rest[at..];
        let (step, next) = match rest.get(..2) {
            Some("/*") => (2, depth + 1),
            Some("*/") => (2, depth - 1),
            _ => (1, depth),
        };
        rest = &rest[step..];
        depth = next;
        if depth == 0 {
            return Ok(rest);
        }
    }
}

fn token(text: &str) -> Result<(Token, &str), SqlError> {
    let first = text.chars().next().unwrap_or_default();
    match first {
        '[' => quoted(&text[1..], ']').map(|(name, rest)| (Quoted(name), rest)),
        '"' => quoted(&text[1..], '"').map(|(name, rest)| (Quoted(name), rest)),
        '\'' => quoted(&text[1..], '\'').map(|(text, rest)| (Text(text), rest)),
        'N' | 'n' if text[1..].starts_with('\'') => {
            quoted(&text[2..], '\'').map(|(text, rest)| (Text(text), rest))
        }
        '0' if text[1..].starts_with(['x', 'X']) => {
            let (digits, rest) = while_in(&text[2..], |c| c.is_ascii_hexdigit());
            Ok((Bytes(digits.to_owned()), rest))
        }
        '0'..='9' => Ok(number(text)),
        '.' if text[1..].starts_with(|c: char| c.is_ascii_digit()) => Ok(number(text)),
        '@' => {
            let (name, rest) = while_in(text, |c| is_name(c) || c == '@');
            Ok((Variable(name.to_owned()), rest))
        }
        first if is_name(first) || first == '#' => {
            let (name, rest) = while_in(text, |c| is_name(c) || c == '#');
            Ok((Word(name.to_owned()), rest))
        }
        first => {
            let symbol = SYMBOLS.iter().find(|symbol| text.starts_with(**symbol));
            let symbol = symbol
                .ok_or_else(|| SqlError::new(102, format!("Incorrect syntax near '{first}'.")))?;
            Ok((Symbol(symbol), &text[symbol.len()..]))
        }
    }
}

fn number(text: &str) -> (Token, &str) {
    let (_, rest) = while_in(text, |c| c.is_ascii_digit() || c == '.');
    let exponent = rest.strip_prefix(['e', 'E']).map(|rest| {
        let rest = rest.strip_prefix(['+', '-']).unwrap_or(rest);
        while_in(rest, |c| c.is_ascii_digit()).1
    });
    let rest = exponent.unwrap_or(rest);
    (Number(text[..text.len() - rest.len()].to_owned()), rest)
}

fn while_in(text: &str, is_in: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !is_in(c)).unwrap_or(text.len()))
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// Up to `end`, which stands twice where it is meant.
fn quoted(text: &str, end: char) -> Result<(String, &str), SqlError> {
    let (mut value, mut rest) = (String::new(), text);
    loop {
        let (part, after) = rest.split_once(end).ok_or_else(|| unclosed(&end.to_string()))?;
        value.push_str(part);
        match after.strip_prefix(end) {
            Some(after) => {
                value.push(end);
                rest = after;
            }
            None => return Ok((value, after)),
        }
    }
}

fn unclosed(what: &str) -> SqlError {
    SqlError::new(105, format!("Unclosed {what}."))
}

/// Where the parenthesis at `open` closes.
pub fn closing(tokens: &[Token], open: usize) -> Result<usize, SqlError> {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token {
            Symbol("(") => depth += 1,
            Symbol(")") if depth == 1 => return Ok(at),
            Symbol(")") => depth -= 1,
            _ => {}
        }
    }
    Err(SqlError::new(102, "Incorrect syntax near '('."))
}

/// The first token outside parentheses that `is` one.
pub fn find(tokens: &[Token], is: impl Fn(&Token) -> bool) -> Option<usize> {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Symbol("(") => depth += 1,
            Symbol(")") => depth -= 1,
            token if depth == 0 && is(token) => return Some(at),
            _ => {}
        }
    }
    None
}

/// The parts between commas outside parentheses; none of nothing.
pub fn items(tokens: &[Token]) -> Vec<&[Token]> {
    let (mut items, mut rest) = (Vec::new(), tokens);
    while let Some(at) = find(rest, |token| token.is_symbol(",")) {
        items.push(&rest[..at]);
        rest = &rest[at + 1..];
    }
    if !rest.is_empty() {
        items.push(rest);
    }
    items
}

/// The first words of a statement, for an error.
pub fn first_words(tokens: &[Token]) -> String {
    let words = tokens.iter().take(6).map(|token| match token {
        Word(word) | Quoted(word) | Number(word) | Variable(word) => word.as_str(),
        Text(_) => "'…'",
        Bytes(_) => "0x…",
        Symbol(symbol) => symbol,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_texts_and_comments_are_told_apart() {
        let found = tokens("SELECT [a]]b], \"c\"\"d\" /* x /* y */ [ */ FROM #t -- '\n@x N'it''s'");
        let word = |word: &str| Word(word.to_owned());
        let wanted = [
            word("SELECT"),
            Quoted("a]b".into()),
            Symbol(","),
            Quoted("c\"d".into()),
            word("FROM"),
            word("#t"),
            Variable("@x".into()),
            Text("it's".into()),
        ];
        assert_eq!(found.unwrap(), wanted);
    }

    #[test]
    fn numbers_and_bytes_are_told_apart() {
        let wanted = [Number("1.5e-3".into()), Bytes("0Aff".into()), Number(".5".into())];
        assert_eq!(tokens("1.5e-3 0x0Aff .5").unwrap(), wanted);
    }

    #[test]
    fn what_does_not_end_is_an_error() {
        for text in ["'a", "[a", "/* a /* b */", "\"a"] {
            assert_eq!(tokens(text).unwrap_err().number, 105, "{text}");
        }
        assert_eq!(tokens("a ? b").unwrap_err().number, 102);
    }
}
