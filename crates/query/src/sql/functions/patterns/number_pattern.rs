//! Numbers as text, by a pattern, and back.

use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::Result;

/// The most digits of a pattern.
const MAX_DIGITS: usize = 1_000;

/// A pattern such as `FM9,990.00`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::sql::functions) struct NumberPattern {
    parts: Vec<Part>,
    /// Without blanks, and without zeros at the end (`FM`).
    is_short: bool,
    /// The digits before and behind the point.
    before: usize,
    behind: usize,
    has_point: bool,
    /// The digits before the first `0`, where one stands before the point; and those up to the last `0`.
    first_zero: Option<usize>,
    last_zero: usize,
    sign: Sign,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Nine,
    Zero,
    Point,
    Comma,
    Minus,
    Literal(char),
}

/// Where the sign stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Sign {
    /// Before the first digit, where the number is less than 0.
    #[default]
    Minus,
    /// Before the first digit or behind the last (`S`).
    First,
    Last,
    /// In a place of its own (`MI`).
    Apart,
    /// In brackets (`PR`).
    Brackets,
}

impl NumberPattern {
    /// # Errors
    /// Where PostgreSQL would know a part that is not known here, or the pattern is wrong.
    pub(in crate::sql::functions) fn of(pattern: &str) -> Result<Self> {
        let mut parsed = Self::default();
        let mut rest = pattern;
        while !rest.is_empty() {
            rest = parsed.next(rest)?;
        }
        if parsed.before + parsed.behind > MAX_DIGITS {
            return exec_err!("the pattern '{pattern}' has more than {MAX_DIGITS} digits");
        }
        Ok(parsed)
    }

    /// Takes the next part of a pattern; gives what follows it.
    fn next<'p>(&mut self, pattern: &'p str) -> Result<&'p str> {
        let upper = pattern.get(..2).map(str::to_ascii_uppercase);
        match upper.as_deref() {
            Some("FM") => self.is_short = true,
            Some("MI") => {
                self.sign = Sign::Apart;
                self.parts.push(Part::Minus);
            }
            Some("PR") => self.sign = Sign::Brackets,
            Some("PL" | "SG" | "RN" | "TH" | "EE") => {
                return exec_err!(
                    "the pattern of a number has '{pattern}', which is not known here; write digits 9 and 0, the signs \
                     . and , and FM, S, MI or PR"
                );
            }
            _ => return self.next_character(pattern),
        }
        Ok(pattern.get(2..).unwrap_or_default())
    }

    fn next_character<'p>(&mut self, pattern: &'p str) -> Result<&'p str> {
        let mut characters = pattern.chars();
        let Some(character) = characters.next() else { return Ok("") };
        match character {
            '9' => self.digit(Part::Nine),
            '0' => {
                if self.first_zero.is_none() && !self.has_point {
                    self.first_zero = Some(self.before);
                }
                self.digit(Part::Zero);
                self.last_zero = self.before + self.behind;
            }
            '.' | 'D' | 'd' => {
                if self.has_point {
                    return exec_err!("the pattern of a number has two decimal points");
                }
                self.has_point = true;
                self.parts.push(Part::Point);
            }
            ',' | 'G' | 'g' => self.parts.push(Part::Comma),
            'S' | 's' => self.sign = if self.before == 0 { Sign::First } else { Sign::Last },
            'L' | 'l' | 'V' | 'v' => {
                return exec_err!("the pattern of a number has {character}, which is not known here; leave it out");
            }
            '"' => {
                for quoted in characters.by_ref() {
                    if quoted == '"' {
                        break;
                    }
                    self.parts.push(Part::Literal(quoted));
                }
            }
            other => self.parts.push(Part::Literal(other)),
        }
        Ok(characters.as_str())
    }

    fn digit(&mut self, part: Part) {
        self.parts.push(part);
        if self.has_point { self.behind += 1 } else { self.before += 1 }
    }

    /// Writes a number, given as its shortest decimal digits.
    pub(in crate::sql::functions) fn write(&self, decimal: &str) -> Result<String> {
        let (is_negative, digits) = match decimal.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, decimal),
        };
        if !digits.bytes().all(|digit| digit.is_ascii_digit() || digit == b'.') {
            return exec_err!("{decimal} has no digits for a pattern");
        }
        let rounded = rounded(digits, self.behind);
        let is_negative = is_negative && rounded.bytes().any(|digit| matches!(digit, b'1'..=b'9'));
        let whole = rounded.find('.').unwrap_or(rounded.len());
        let number = if whole > self.before {
            let too_large = "#".repeat(self.before);
            if self.has_point { format!("{too_large}.{}", "#".repeat(self.behind)) } else { too_large }
        } else {
            rounded
        };
        let writing = Writing::new(self, &number, is_negative, self.before.saturating_sub(whole));
        Ok(writing.write())
    }

    /// Reads a number by the pattern. What is no digit, sign or point is passed over.
    pub(in crate::sql::functions) fn read(&self, text: &str) -> Result<f64> {
        let mut number = String::with_capacity(text.len());
        let mut is_negative = false;
        for character in text.chars() {
            match character {
                '0'..='9' => number.push(character),
                '.' if self.has_point && !number.contains('.') => number.push('.'),
                '-' | '<' => is_negative = true,
                _ => {}
            }
        }
        let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
        if whole.len() > self.before || fraction.len() > self.behind {
            return exec_err!("'{text}' has more digits than the pattern");
        }
        let read: f64 = number.parse().map_err(|_| exec_datafusion_err!("'{text}' has no number"))?;
        Ok(if is_negative { -read } else { read })
    }
}

/// Decimal digits, rounded to so many behind the point: halves away from 0.
fn rounded(digits: &str, behind: usize) -> String {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut kept: Vec<u8> = whole.bytes().chain(fraction.bytes().chain(std::iter::repeat(b'0')).take(behind)).collect();
    if fraction.as_bytes().get(behind).is_some_and(|next| *next >= b'5') {
        let mut carries = true;
        for digit in kept.iter_mut().rev() {
            if *digit == b'9' {
                *digit = b'0';
            } else {
                *digit += 1;
                carries = false;
                break;
            }
        }
        if carries {
            kept.insert(0, b'1');
        }
    }
    let point = kept.len().saturating_sub(behind);
    let mut text = String::with_capacity(kept.len() + 1);
    for (place, digit) in kept.into_iter().enumerate() {
        if place == point {
            text.push('.');
        }
        text.push(char::from(digit));
    }
    text
}

/// A number on its way into a pattern. It follows PostgreSQL's own steps.
struct Writing<'p> {
    pattern: &'p NumberPattern,
    number: &'p [u8],
    is_negative: bool,
    /// The places of the pattern before the number's first digit.
    blanks: usize,
    /// The last digit that is written where the pattern leaves zeros at the end out.
    last_relevant: Option<usize>,
    sign: Sign,
    is_sign_written: bool,
    /// The next digit of the number, and the next place of the pattern.
    at: usize,
    place: usize,
    has_digits: bool,
    text: String,
}

impl<'p> Writing<'p> {
    fn new(pattern: &'p NumberPattern, number: &'p str, is_negative: bool, blanks: usize) -> Self {
        let last_relevant =
            (pattern.is_short && pattern.has_point).then(|| last_relevant(pattern, number, blanks)).flatten();
        let sign =
            if pattern.sign == Sign::Brackets && !is_negative && pattern.is_short { Sign::Minus } else { pattern.sign };
        let is_sign_written =
            sign == Sign::Apart || (!is_negative && pattern.is_short && !matches!(sign, Sign::First | Sign::Last));
        Self {
            pattern,
            number: number.as_bytes(),
            is_negative,
            blanks,
            last_relevant,
            sign,
            is_sign_written,
            at: 0,
            place: 0,
            has_digits: false,
            text: String::new(),
        }
    }

    fn write(mut self) -> String {
        let pattern = self.pattern;
        for part in &pattern.parts {
            match part {
                Part::Nine | Part::Zero | Part::Point => self.digit(*part == Part::Zero),
                Part::Comma if self.has_digits => self.text.push(','),
                Part::Comma => self.fill(),
                Part::Minus if self.is_negative => self.text.push('-'),
                Part::Minus => self.fill(),
                Part::Literal(character) => self.text.push(*character),
            }
        }
        self.text
    }

    fn fill(&mut self) {
        if !self.pattern.is_short {
            self.text.push(' ');
        }
    }

    fn digit(&mut self, is_zero: bool) {
        let first_zero = self.pattern.first_zero;
        let hides_zero = self.hides_zero();
        let ends_at_point = self.last_relevant.is_some_and(|last| self.number.get(last) == Some(&b'.'));
        if !self.is_sign_written
            && (self.place >= self.blanks || first_zero == Some(self.place))
            && (!hides_zero || ends_at_point)
        {
            self.write_sign();
        }
        if self.place < self.blanks {
            if first_zero.is_some_and(|first| first <= self.place) {
                self.text.push('0');
                self.has_digits = true;
            } else {
                self.fill();
            }
        } else {
            self.write_digit(is_zero, hides_zero, ends_at_point);
            if self.at < self.number.len() {
                self.at += 1;
            }
        }
        let all = self.pattern.before + self.pattern.behind;
        let count = all.saturating_sub(1) + usize::from(!self.is_sign_counted());
        let end = match self.last_relevant {
            Some(last) if last == self.at => self.place,
            _ => count + usize::from(self.blanks > 0) + usize::from(self.pattern.has_point),
        };
        if self.place + 1 == end {
            match self.sign {
                Sign::Brackets if self.is_sign_written => self.text.push(if self.is_negative { '>' } else { ' ' }),
                Sign::Last => self.text.push(if self.is_negative { '-' } else { '+' }),
                _ => {}
            }
        }
        self.place += 1;
    }

    /// Whether the place of the sign is none of the pattern's.
    fn is_sign_counted(&self) -> bool {
        self.is_sign_written_at_first() || self.blanks > 0
    }

    fn is_sign_written_at_first(&self) -> bool {
        self.sign == Sign::Apart
            || (!self.is_negative && self.pattern.is_short && !matches!(self.sign, Sign::First | Sign::Last))
    }

    /// Whether the next digit is the 0 of a number below 1, which `9.9` leaves out.
    fn hides_zero(&self) -> bool {
        self.pattern.first_zero.is_none()
            && self.at == 0
            && self.number.first() == Some(&b'0')
            && self.pattern.behind > 0
    }

    fn write_sign(&mut self) {
        match self.sign {
            Sign::First => {
                self.text.push(if self.is_negative { '-' } else { '+' });
                self.is_sign_written = true;
            }
            // It comes behind the last digit.
            Sign::Last => {}
            Sign::Brackets => {
                self.text.push(if self.is_negative { '<' } else { ' ' });
                self.is_sign_written = true;
            }
            Sign::Minus | Sign::Apart => {
                if self.is_negative {
                    self.text.push('-');
                } else {
                    self.fill();
                }
                self.is_sign_written = true;
            }
        }
    }

    fn write_digit(&mut self, is_zero: bool, hides_zero: bool, ends_at_point: bool) {
        let Some(next) = self.number.get(self.at).copied() else { return };
        if next == b'.' {
            if self.last_relevant.is_none() || !ends_at_point || self.pattern.is_short {
                self.text.push('.');
            }
        } else if self.last_relevant.is_some_and(|last| self.at > last) && !is_zero {
            // A zero at the end.
        } else if hides_zero {
            if !self.pattern.is_short {
                self.text.push(' ');
            } else if ends_at_point {
                self.text.push('0');
            }
        } else {
            self.text.push(char::from(next));
            self.has_digits = true;
        }
    }
}

/// The last digit that is no zero at the end, and none that a `0` of the pattern asks for; the point, where there is
/// none.
fn last_relevant(pattern: &NumberPattern, number: &str, blanks: usize) -> Option<usize> {
    let point = number.find('.')?;
    let mut last = number.trim_end_matches('0').len().saturating_sub(1).max(point);
    if pattern.last_zero > blanks {
        last = last.max((number.len().saturating_sub(1)).min(pattern.last_zero - blanks));
    }
    Some(last)
}
