//! The selector's grammar, by recursive descent without recursion.
//!
//! ```text
//! selector    = requirement { "," requirement }
//! requirement = "!" word | word [ "=" word | "!=" word | "in" "(" word { "," word } ")" ]
//! word        = one or more characters other than white space , = ! ( )
//! ```

use std::{iter::Peekable, str::Chars};

use super::{Requirement, SelectorError};

/// Reads a whole selector.
pub(super) fn requirements(text: &str) -> Result<Vec<Requirement>, SelectorError> {
    let mut scanner = Scanner { text, rest: text.chars().peekable(), position: 1 };
    let mut requirements = vec![requirement(&mut scanner)?];
    while scanner.peek().is_some() {
        scanner.take(',', "`,` or the end")?;
        requirements.push(requirement(&mut scanner)?);
    }
    Ok(requirements)
}

fn requirement(scanner: &mut Scanner<'_>) -> Result<Requirement, SelectorError> {
    if scanner.peek() == Some('!') {
        scanner.advance();
        return Ok(Requirement::Lacks { tag: scanner.word("the name of a tag")? });
    }
    let tag = scanner.word("the name of a tag, or `!` and one,")?;
    match scanner.peek() {
        Some('=') => {
            scanner.advance();
            Ok(Requirement::Is { tag, value: scanner.word("a value")? })
        }
        Some('!') => {
            scanner.advance();
            scanner.take('=', "`=` to complete `!=`")?;
            Ok(Requirement::IsNot { tag, value: scanner.word("a value")? })
        }
        Some(',') | None => Ok(Requirement::Has { tag }),
        Some(_) => Ok(Requirement::In { tag, values: listed_values(scanner)? }),
    }
}

fn listed_values(scanner: &mut Scanner<'_>) -> Result<Vec<String>, SelectorError> {
    const OPERATOR: &str = "`=`, `!=`, `in (…)`, `,` or the end";
    let operator = scanner.clone();
    if scanner.word(OPERATOR)? != "in" {
        return Err(operator.expected(OPERATOR));
    }
    scanner.take('(', "`(` after `in`")?;
    let mut values = vec![scanner.word("a value")?];
    while scanner.peek() == Some(',') {
        scanner.advance();
        values.push(scanner.word("a value")?);
    }
    scanner.take(')', "`,` or `)`")?;
    Ok(values)
}

/// Where the reading has come to. Its position is always that of the next character that is not white space.
#[derive(Clone)]
struct Scanner<'a> {
    text: &'a str,
    rest: Peekable<Chars<'a>>,
    position: usize,
}

impl Scanner<'_> {
    fn peek(&mut self) -> Option<char> {
        while self.rest.next_if(|character| character.is_whitespace()).is_some() {
            self.position += 1;
        }
        self.rest.peek().copied()
    }

    fn advance(&mut self) {
        self.position += usize::from(self.rest.next().is_some());
    }

    fn take(&mut self, wanted: char, expected: &'static str) -> Result<(), SelectorError> {
        if self.peek() != Some(wanted) {
            return Err(self.clone().expected(expected));
        }
        self.advance();
        Ok(())
    }

    fn word(&mut self, expected: &'static str) -> Result<String, SelectorError> {
        if !self.peek().is_some_and(is_word) {
            return Err(self.clone().expected(expected));
        }
        let mut word = String::new();
        while let Some(character) = self.rest.next_if(|character| is_word(*character)) {
            word.push(character);
            self.position += 1;
        }
        Ok(word)
    }

    fn expected(mut self, expected: &'static str) -> SelectorError {
        let found = self.peek();
        SelectorError::Syntax { selector: self.text.to_owned(), position: self.position, expected, found }
    }
}

fn is_word(character: char) -> bool {
    !character.is_whitespace() && !matches!(character, ',' | '=' | '!' | '(' | ')')
}
