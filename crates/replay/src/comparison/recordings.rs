//! Files of recorded answers, a line each, by their questions and in the order of time.
//!
//! A recording may be larger than memory. So a first pass finds out of each line what was asked and when, and answers
//! are read again, one by one, when they are compared.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use skillscope_query::ReportParameters;
use skillscope_segment::AccountId;

use super::recorded_answer::RecordedAnswer;
use crate::{Error, Result};

/// The longest line that is read, in bytes. A report of 288 intervals and 500 skills has some 45 MB.
const MAX_LINE_BYTES: u64 = 256 << 20;

/// The number of unreadable lines that are listed.
const LISTED: usize = 100;

/// The most letters that are kept of what is wrong with a line, which may quote it.
const MAX_LETTERS: usize = 300;

/// A file of recorded answers.
#[derive(Debug)]
pub struct RecordedFile {
    name: String,
    content: BufReader<File>,
}

/// Recorded answers, by what was asked.
#[derive(Debug)]
pub struct Recordings {
    files: Vec<RecordedFile>,
    account: Option<AccountId>,
    pub(super) questions: Vec<RecordedQuestion>,
    unreadable: Vec<UnreadableLine>,
    unreadable_count: u64,
}

/// A line that has no recorded answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableLine {
    /// The name of its file.
    pub file: String,
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub problem: String,
}

/// What was asked, and where the answers are.
#[derive(Debug)]
pub(super) struct RecordedQuestion {
    pub(super) account: AccountId,
    /// The parameters at the instant 0.
    pub(super) parameters: ReportParameters,
    /// In the order of time.
    pub(super) answers: Vec<AnswerPlace>,
}

/// Where a recorded answer is, and its instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct AnswerPlace {
    pub(super) end: i64,
    file: usize,
    offset: u64,
    length: u64,
}

/// What the next line of a file is.
enum NextLine {
    Text,
    TooLong,
}

impl RecordedFile {
    /// An open file, and its name in messages. Its bytes are read twice, so that it cannot be a pipe.
    pub fn new(name: String, content: File) -> Self {
        Self { name, content: BufReader::with_capacity(1 << 16, content) }
    }

    fn failed(&self) -> impl FnOnce(io::Error) -> Error + use<> {
        let file = self.name.clone();
        move |source| Error::RecordedFile { file, source }
    }

    /// Reads the next line, and returns what it is and its length in bytes; `None` at the end of the file.
    fn next_line(&mut self, line: &mut Vec<u8>) -> io::Result<Option<(NextLine, u64)>> {
        line.clear();
        let length = self.content.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', line)? as u64;
        if length == 0 {
            return Ok(None);
        }
        if length < MAX_LINE_BYTES || line.ends_with(b"\n") {
            return Ok(Some((NextLine::Text, length)));
        }
        line.clear();
        Ok(Some((NextLine::TooLong, length.saturating_add(self.content.skip_until(b'\n')? as u64))))
    }

    fn read_at(&mut self, place: &AnswerPlace) -> io::Result<Vec<u8>> {
        self.content.seek(SeekFrom::Start(place.offset))?;
        let mut line = Vec::new();
        self.content.by_ref().take(place.length).read_to_end(&mut line)?;
        Ok(line)
    }
}

impl Recordings {
    /// Reads files of recorded answers. Answers that name no account are of `account`. Lines that cannot be read are
    /// kept apart.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn read(files: Vec<RecordedFile>, account: Option<AccountId>) -> Result<Self> {
        let (questions, unreadable) = (Vec::new(), Vec::new());
        let mut recordings = Self { files: Vec::new(), account, questions, unreadable, unreadable_count: 0 };
        let mut places = HashMap::new();
        for (number, mut file) in files.into_iter().enumerate() {
            recordings.add(&mut file, number, &mut places)?;
            recordings.files.push(file);
        }
        for question in &mut recordings.questions {
            question.answers.sort_by_key(|answer| answer.end);
        }
        Ok(recordings)
    }

    /// The number of recorded answers.
    pub fn count(&self) -> u64 {
        self.questions.iter().map(|question| question.answers.len() as u64).sum()
    }

    /// The first lines that cannot be read.
    pub fn unreadable(&self) -> &[UnreadableLine] {
        &self.unreadable
    }

    /// The number of all lines that cannot be read.
    pub fn unreadable_count(&self) -> u64 {
        self.unreadable_count
    }

    /// Reads an answer once more.
    pub(super) fn answer(&mut self, place: &AnswerPlace) -> Result<RecordedAnswer> {
        let account = self.account.clone();
        let Some(file) = self.files.get_mut(place.file) else { return Err(Error::BrokenOff) };
        let line = file.read_at(place).map_err(file.failed())?;
        let changed = |_| Error::Changed { file: file.name.clone() };
        RecordedAnswer::read(&line, account.as_ref()).map_err(changed)
    }

    fn add(
        &mut self,
        file: &mut RecordedFile,
        number: usize,
        places: &mut HashMap<(AccountId, ReportParameters), usize>,
    ) -> Result<()> {
        let (mut text, mut offset, mut line) = (Vec::new(), 0_u64, 0_u64);
        while let Some((kind, length)) = file.next_line(&mut text).map_err(file.failed())? {
            line = line.saturating_add(1);
            let read = match kind {
                NextLine::Text if text.trim_ascii().is_empty() => None,
                NextLine::Text => Some(RecordedAnswer::read(&text, self.account.as_ref())),
                NextLine::TooLong => {
                    Some(Err(Error::recording(format!("it is longer than {} MiB", MAX_LINE_BYTES >> 20))))
                }
            };
            match read {
                Some(Ok(answer)) => self.keep(&answer, (number, offset, length), places),
                Some(Err(error)) => self.refuse(&file.name, line, &error),
                None => {}
            }
            offset = offset.saturating_add(length);
        }
        Ok(())
    }

    fn keep(
        &mut self,
        answer: &RecordedAnswer,
        (file, offset, length): (usize, u64, u64),
        places: &mut HashMap<(AccountId, ReportParameters), usize>,
    ) {
        let end = answer.parameters.range().end;
        let (account, parameters) = (answer.account.clone(), answer.parameters.at(0));
        let next = self.questions.len();
        let place = *places.entry((account.clone(), parameters.clone())).or_insert(next);
        if place == next {
            self.questions.push(RecordedQuestion { account, parameters, answers: Vec::new() });
        }
        if let Some(question) = self.questions.get_mut(place) {
            question.answers.push(AnswerPlace { end, file, offset, length });
        }
    }

    fn refuse(&mut self, file: &str, line: u64, error: &Error) {
        self.unreadable_count = self.unreadable_count.saturating_add(1);
        if self.unreadable.len() < LISTED {
            let problem = error.to_string().chars().take(MAX_LETTERS).collect();
            self.unreadable.push(UnreadableLine { file: file.to_owned(), line, problem });
        }
    }
}

impl RecordedQuestion {
    /// The timeframe's length in milliseconds.
    pub(super) fn timeframe(&self) -> i64 {
        let range = self.parameters.range();
        range.end.saturating_sub(range.start)
    }

    /// The question as the endpoint's parameters.
    pub(super) fn text(&self) -> String {
        const MINUTE_MS: i64 = 60_000;
        let mut text = format!("timeframe={}", self.timeframe() / MINUTE_MS);
        if let Some(interval) = self.parameters.interval_ms() {
            text.push_str(&format!("&interval={}", interval / MINUTE_MS));
        }
        if let Some(skills) = self.parameters.skills() {
            let skills: Vec<String> = skills.iter().map(i64::to_string).collect();
            text.push_str(&format!("&skillIds={}", skills.join(",")));
        }
        if let Some(user_type) = self.parameters.user_type().only() {
            text.push_str(&format!("&userType={}", user_type.as_str()));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn recordings(texts: &[&str]) -> Recordings {
        let files = texts.iter().enumerate().map(|(number, text)| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            file.seek(SeekFrom::Start(0)).unwrap();
            RecordedFile::new(format!("file {number}"), file)
        });
        Recordings::read(files.collect(), Some(AccountId::parse("acme").unwrap())).unwrap()
    }

    fn line(now: i64, query: &str) -> String {
        let empty = r#"{"skillsMetrics":{},"metricsTotal":{}}"#;
        format!(r#"{{"now":{now},"query":"{query}","report":{empty}}}"#)
    }

    #[test]
    fn answers_to_the_same_question_are_together_in_the_order_of_time() {
        let [late, early, other] = [
            line(1_516_265_600_000, "timeframe=60&v=1"),
            line(1_516_265_500_000, "v=1&skillIds=all&timeframe=60"),
            line(1_516_265_500_000, "timeframe=30&v=1&skillIds=7,4&userType=bot"),
        ];
        let mut recordings = recordings(&[&format!("{late}\n\n{other}\r\n"), &early]);
        assert_eq!((recordings.count(), recordings.unreadable_count()), (3, 0));
        let texts: Vec<String> = recordings.questions.iter().map(RecordedQuestion::text).collect();
        assert_eq!(texts, ["timeframe=60", "timeframe=30&skillIds=4,7&userType=bot"]);
        let places = recordings.questions[0].answers.clone();
        let ends: Vec<i64> = places.iter().map(|place| place.end).collect();
        assert_eq!(ends, [1_516_265_500_000, 1_516_265_600_000]);
        for place in &places {
            assert_eq!(recordings.answer(place).unwrap().parameters.range().end, place.end);
        }
    }

    #[test]
    fn lines_that_cannot_be_read_are_told_with_their_place() {
        let good = line(1_516_265_600_000, "timeframe=60");
        let recordings = recordings(&[&good, &format!("{good}\nnonsense\n{good}\n{{\"now\":1}}")]);
        assert_eq!((recordings.count(), recordings.unreadable_count()), (3, 2));
        let places: Vec<_> = recordings.unreadable().iter().map(|bad| (bad.file.as_str(), bad.line)).collect();
        assert_eq!(places, [("file 1", 2), ("file 1", 4)]);
        let many = super::tests::recordings(&["x\n".repeat(1_000).as_str()]);
        assert_eq!((many.unreadable().len(), many.unreadable_count()), (LISTED, 1_000));
    }
}
