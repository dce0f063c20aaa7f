//! STIX patterns: which comparisons must hold together, found without judging what they are compared with.
//!
//! The grammar is that of STIX 2.1 section 9 (2.0 has the same but for its name). What is kept is every comparison by `=`, `IN` and
//! `ISSUBSET`, as alternatives of tests that go together; other operators and negations are counted, as they name nothing.

/// Alternatives that a pattern may come to; past it, it is too large to be read.
const MOST: usize = 4_096;
/// Tests that alternatives joined by AND may come to: few of them make many, and each costs.
const JOINED: usize = 512;
/// Brackets inside each other.
const DEPTH: usize = 24;

/// What a pattern came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pattern {
    /// The alternatives, each with the tests that hold together.
    pub(super) alternatives: Vec<Vec<Test>>,
    /// Comparisons that name no value that is looked for.
    pub(super) passed_over: usize,
}

/// One comparison that names what is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Test {
    /// The object path, without blanks, with `[*]` for any index: `network-traffic:dst_ref.value`.
    pub(super) path: String,
    /// The value, unescaped.
    pub(super) value: String,
}

/// Reads a pattern.
pub(super) fn parse(text: &str) -> Result<Pattern, String> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0, passed_over: 0 };
    let alternatives = parser.observations()?;
    match parser.peek() {
        None => Ok(Pattern { alternatives, passed_over: parser.passed_over }),
        Some(token) => Err(format!("{token} stands where the pattern should end")),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Sign(char),
    Operator(&'static str),
    /// A key word, a number, or an object path.
    Word(String),
    Path(String),
    Literal(String),
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Token::Sign(sign) => write!(f, "'{sign}'"),
            Token::Operator(operator) => write!(f, "'{operator}'"),
            Token::Word(text) | Token::Path(text) | Token::Literal(text) => {
                write!(f, "'{}'", text.chars().take(40).collect::<String>())
            }
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut chars = text.char_indices().peekable();
    let mut tokens = Vec::new();
    while let Some((at, char)) = chars.next() {
        let next = chars.peek().map(|(_, char)| *char);
        let token = match char {
            char if char.is_whitespace() => continue,
            '[' | ']' | '(' | ')' | ',' => Token::Sign(char),
            '=' | '!' | '<' | '>' => {
                let operator = match (char, next) {
                    ('=', Some('=')) | ('=', _) => "=",
                    ('!', Some('=')) | ('<', Some('>')) => "!=",
                    ('!', _) => return Err(format!("'!' without '=' at byte {at}")),
                    _ => "<>",
                };
                if matches!(next, Some('=' | '>')) {
                    chars.next();
                }
                Token::Operator(operator)
            }
            '\'' => Token::Literal(literal(&mut chars)?),
            // Times, base64 and hexadecimal are written as a letter and a literal.
            't' | 'b' | 'h' if next == Some('\'') => {
                chars.next();
                Token::Literal(literal(&mut chars)?)
            }
            first => {
                let mut word = String::from(first);
                let mut path = first == ':';
                while let Some((_, char)) = chars.peek().copied() {
                    let index = path && char == '[';
                    match char {
                        '\'' if path => {
                            chars.next();
                            word.push('\'');
                            word.push_str(&literal(&mut chars)?);
                            word.push('\'');
                            continue;
                        }
                        _ if index => {}
                        '[' | ']' | '(' | ')' | ',' | '=' | '!' | '<' | '>' | '\'' => break,
                        char if char.is_whitespace() => break,
                        ':' => path = true,
                        _ => {}
                    }
                    chars.next();
                    word.push(char);
                    if index {
                        for (_, char) in chars.by_ref() {
                            word.push(char);
                            if char == ']' {
                                break;
                            }
                        }
                    }
                }
                if path { Token::Path(word) } else { Token::Word(word) }
            }
        };
        tokens.push(token);
        if tokens.len() > 8 * MOST {
            return Err("it is too long".to_owned());
        }
    }
    Ok(tokens)
}

/// The rest of a string literal; `\\` and `\'` are its escapes.
fn literal(chars: &mut impl Iterator<Item = (usize, char)>) -> Result<String, String> {
    let mut text = String::new();
    while let Some((_, char)) = chars.next() {
        match char {
            '\'' => return Ok(text),
            '\\' => text.extend(chars.next().map(|(_, char)| char)),
            char => text.push(char),
        }
    }
    Err("a string does not end".to_owned())
}

type Alternatives = Vec<Vec<Test>>;

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    passed_over: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(text)) if text.eq_ignore_ascii_case(word))
    }

    fn skip_word(&mut self, word: &str) -> bool {
        let is = self.is_word(word);
        self.at += usize::from(is);
        is
    }

    fn skip_sign(&mut self, sign: char) -> bool {
        let is = self.peek() == Some(&Token::Sign(sign));
        self.at += usize::from(is);
        is
    }

    fn want(&mut self, sign: char) -> Result<(), String> {
        if self.skip_sign(sign) { Ok(()) } else { Err(self.missing(&format!("'{sign}'"))) }
    }

    fn missing(&self, what: &str) -> String {
        match self.peek() {
            Some(token) => format!("{what} is missing before {token}"),
            None => format!("{what} is missing at the end"),
        }
    }

    fn nest<T>(&mut self, inner: impl FnOnce(&mut Parser) -> Result<T, String>) -> Result<T, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("its brackets are nested too deeply".to_owned());
        }
        let value = inner(self);
        self.depth -= 1;
        value
    }

    /// Observations are separate sightings whatever joins them, so each stands for itself.
    fn observations(&mut self) -> Result<Alternatives, String> {
        let mut all = self.observation()?;
        while self.skip_word("AND") || self.skip_word("OR") || self.skip_word("FOLLOWEDBY") {
            all.extend(self.observation()?);
            bounded(all.len(), MOST)?;
        }
        Ok(all)
    }

    fn observation(&mut self) -> Result<Alternatives, String> {
        let all = if self.skip_sign('[') {
            let all = self.nest(Parser::either)?;
            self.want(']')?;
            all
        } else if self.skip_sign('(') {
            let all = self.nest(Parser::observations)?;
            self.want(')')?;
            all
        } else {
            return Err(self.missing("'['"));
        };
        // WITHIN 5 SECONDS, REPEATS 5 TIMES, START t'…' STOP t'…'
        while ["WITHIN", "REPEATS", "START", "STOP"].iter().any(|word| self.is_word(word)) {
            self.at += 2;
            let _ = self.skip_word("SECONDS") || self.skip_word("TIMES");
        }
        Ok(all)
    }

    fn either(&mut self) -> Result<Alternatives, String> {
        let mut all = self.both()?;
        while self.skip_word("OR") {
            all.extend(self.both()?);
            bounded(all.len(), MOST)?;
        }
        Ok(all)
    }

    fn both(&mut self) -> Result<Alternatives, String> {
        let mut all = self.comparison()?;
        while self.skip_word("AND") {
            let more = self.comparison()?;
            // What names nothing restricts the rest, and adds nothing to it.
            if more.is_empty() {
                continue;
            }
            if all.is_empty() {
                all = more;
                continue;
            }
            bounded(all.len().saturating_mul(more.len()), JOINED)?;
            let joined = all.iter().flat_map(|one| more.iter().map(move |other| [one.as_slice(), other.as_slice()].concat()));
            all = joined.collect();
            bounded(all.iter().map(Vec::len).sum(), JOINED)?;
        }
        Ok(all)
    }

    fn comparison(&mut self) -> Result<Alternatives, String> {
        if self.skip_sign('(') {
            let all = self.nest(Parser::either)?;
            self.want(')')?;
            return Ok(all);
        }
        let mut negated = self.skip_word("NOT");
        if self.skip_word("EXISTS") {
            self.at += 1;
            self.passed_over += 1;
            return Ok(Vec::new());
        }
        let path = match self.take() {
            Some(Token::Path(path)) => any_index(&path),
            _ => {
                self.at -= 1;
                return Err(self.missing("an object path"));
            }
        };
        negated |= self.skip_word("NOT");
        let operator = match self.take() {
            Some(Token::Operator(operator)) => operator.to_owned(),
            Some(Token::Word(word)) => word.to_ascii_uppercase(),
            _ => {
                self.at -= 1;
                return Err(self.missing("an operator"));
            }
        };
        let values = self.values()?;
        match operator.as_str() {
            "=" | "IN" | "ISSUBSET" if !negated => {
                bounded(values.len(), MOST)?;
                Ok(values.into_iter().map(|value| vec![Test { path: path.clone(), value }]).collect())
            }
            "=" | "IN" | "ISSUBSET" | "!=" | "<>" | "LIKE" | "MATCHES" | "ISSUPERSET" => {
                self.passed_over += 1;
                Ok(Vec::new())
            }
            other => Err(format!("'{}' is no operator", other.chars().take(40).collect::<String>())),
        }
    }

    fn values(&mut self) -> Result<Vec<String>, String> {
        let set = self.skip_sign('(');
        let mut values = Vec::new();
        loop {
            match self.take() {
                Some(Token::Literal(text) | Token::Word(text)) => values.push(text),
                _ => {
                    self.at -= 1;
                    return Err(self.missing("a value"));
                }
            }
            if set && self.skip_sign(',') {
                continue;
            }
            if set {
                self.want(')')?;
            }
            return Ok(values);
        }
    }
}

fn bounded(count: usize, most: usize) -> Result<(), String> {
    if count > most { Err(format!("it comes to more than {most} alternatives")) } else { Ok(()) }
}

/// A path with every index as `[*]`.
fn any_index(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    let mut inside = false;
    for char in path.chars() {
        match char {
            '[' => text.push_str("[*]"),
            ']' => {}
            char if !inside => text.push(char),
            _ => {}
        }
        inside = char == '[' || inside && char != ']';
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Result<Vec<String>, String> {
        let test = |test: &Test| format!("{}={}", test.path, test.value);
        let all = parse(text)?.alternatives;
        Ok(all.iter().map(|tests| tests.iter().map(test).collect::<Vec<_>>().join(" & ")).collect())
    }

    #[test]
    fn patterns_come_to_what_they_name() {
        for (text, expected) in [
            ("[ipv4-addr:value = '192.0.2.1']", &["ipv4-addr:value=192.0.2.1"][..]),
            (
                "[ ipv4-addr:value='192.0.2.1' OR url:value == 'http://a.example/' ]",
                &["ipv4-addr:value=192.0.2.1", "url:value=http://a.example/"],
            ),
            (
                "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 443]",
                &[
                    "network-traffic:dst_ref.type=ipv4-addr & network-traffic:dst_ref.value=192.0.2.1 & network-traffic:dst_port=443",
                ],
            ),
            ("[a:b = 'x' AND (a:c = 'y' OR a:c = 'z')]", &["a:b=x & a:c=y", "a:b=x & a:c=z"]),
            ("[a:b = 'x'] FOLLOWEDBY ([a:c = 'y'] OR [a:d = 'z']) WITHIN 5 SECONDS", &["a:b=x", "a:c=y", "a:d=z"]),
            (
                "[a:b IN ('x', 'y')] REPEATS 5 TIMES START t'2026-01-01T00:00:00Z' STOP t'2026-02-01T00:00:00Z'",
                &["a:b=x", "a:b=y"],
            ),
            ("[ipv4-addr:value ISSUBSET '192.0.2.0/24' AND NOT a:b = 'x']", &["ipv4-addr:value=192.0.2.0/24"]),
            ("[file:hashes.'SHA-256' = 'ab' AND file:name = 'C:\\\\x\\'y']", &["file:hashes.'SHA-256'=ab & file:name=C:\\x'y"]),
            ("[domain-name:resolves_to_refs[0].value = '192.0.2.1']", &["domain-name:resolves_to_refs[*].value=192.0.2.1"]),
            ("[a:b != 'x' OR a:c LIKE 'y%']", &[]),
            ("[EXISTS a:b AND a:c = true]", &["a:c=true"]),
        ] {
            let all = shown(text).unwrap();
            assert_eq!(all, expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_said() {
        let deep = format!("[{}a:b = 'x'", "(".repeat(1_000));
        let wide = format!("[{}]", vec!["(a:b = 'x' OR a:b = 'y')"; 40].join(" AND "));
        for (text, expected) in [
            ("", "'[' is missing at the end"),
            ("[a:b = 'x'", "']' is missing at the end"),
            ("[a:b 'x']", "an operator is missing before 'x'"),
            ("[a:b = 'x']]", "']' stands where the pattern should end"),
            ("[a:b = 'x]", "a string does not end"),
            ("[b = 'x']", "an object path is missing before 'b'"),
            (&deep, "its brackets are nested too deeply"),
            (&wide, "it comes to more than 512 alternatives"),
        ] {
            assert_eq!(shown(text).unwrap_err(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_safe(text in r"[\[\]()'\\ =!<>a:.,*ANDORNT0-9]{0,60}") {
            let _ = parse(&text);
        }
    }
}
