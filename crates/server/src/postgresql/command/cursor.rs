//! `DECLARE`, `FETCH`, `MOVE` and `CLOSE`.

use datafusion_postgres::pgwire::error::PgWireResult;

use super::query::query;
use super::words::Words;

/// `DECLARE … CURSOR FOR …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::postgresql) struct Declaration {
    pub(in crate::postgresql) name: String,
    /// Whether its rows are sent in binary.
    pub(in crate::postgresql) is_binary: bool,
    /// Whether it can go back.
    pub(in crate::postgresql) is_scrollable: bool,
    /// Whether it outlives its transaction.
    pub(in crate::postgresql) is_held: bool,
    pub(in crate::postgresql) query: String,
    /// The statement as it came.
    pub(in crate::postgresql) text: String,
}

/// Which rows are fetched, or passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::postgresql) enum Direction {
    /// So many rows from here; backward, where it is negative. [`ALL`] for all of them.
    Forward(i64),
    /// The row of this number; from the end, where it is negative.
    Absolute(i64),
    /// The row so many rows from here.
    Relative(i64),
}

/// All rows.
pub(in crate::postgresql) const ALL: i64 = i64::MAX;

/// `FETCH`, and `MOVE`, which sends no rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::postgresql) struct Fetch {
    pub(in crate::postgresql) name: String,
    pub(in crate::postgresql) direction: Direction,
    pub(in crate::postgresql) is_move: bool,
}

/// What follows `DECLARE`.
pub(super) fn declaration(words: &mut Words<'_>) -> PgWireResult<Declaration> {
    let text = words.whole().trim_end().to_owned();
    let name = words.name()?;
    let (mut is_binary, mut scrolls) = (false, None);
    loop {
        if words.take("binary") {
            is_binary = true;
        } else if scrolls.is_none() && words.take("scroll") {
            scrolls = Some(true);
        } else if scrolls.is_none() && words.take_all(&["no", "scroll"]) {
            scrolls = Some(false);
        } else if !words.take("insensitive") && !words.take("asensitive") {
            break;
        }
    }
    words.expect("cursor")?;
    let is_held = words.take_all(&["with", "hold"]);
    let _ = words.take_all(&["without", "hold"]);
    words.expect("for")?;
    if !words.begin_query() {
        return Err(words.wrong());
    }
    let query = query(words.rest())?;
    Ok(Declaration { name, is_binary, is_scrollable: scrolls == Some(true), is_held, query, text })
}

/// What follows `FETCH` or `MOVE`.
pub(super) fn fetch(is_move: bool, words: &mut Words<'_>) -> PgWireResult<Fetch> {
    // A cursor may have a name that is also a direction.
    let mut after = words.clone();
    let direction = match after.name() {
        Ok(_) if after.is_at_end() => Direction::Forward(1),
        _ => direction(words)?,
    };
    let _ = words.take("from") || words.take("in");
    let name = words.name()?;
    words.end()?;
    Ok(Fetch { name, direction, is_move })
}

fn direction(words: &mut Words<'_>) -> PgWireResult<Direction> {
    let numbered = |words: &mut Words<'_>| words.number().ok_or_else(|| words.wrong());
    Ok(if words.take("next") {
        Direction::Forward(1)
    } else if words.take("prior") {
        Direction::Forward(-1)
    } else if words.take("first") {
        Direction::Absolute(1)
    } else if words.take("last") {
        Direction::Absolute(-1)
    } else if words.take("absolute") {
        Direction::Absolute(numbered(words)?)
    } else if words.take("relative") {
        Direction::Relative(numbered(words)?)
    } else if words.take("forward") {
        Direction::Forward(count(words).unwrap_or(1))
    } else if words.take("backward") {
        Direction::Forward(count(words).unwrap_or(1).saturating_neg())
    } else {
        // The name alone, or after FROM.
        Direction::Forward(count(words).unwrap_or(1))
    })
}

fn count(words: &mut Words<'_>) -> Option<i64> {
    if words.take("all") { Some(ALL) } else { words.number() }
}

/// What follows `CLOSE`: the name of a cursor, or nothing for all of them.
pub(super) fn close(words: &mut Words<'_>) -> PgWireResult<Option<String>> {
    let name = if words.take("all") { None } else { Some(words.name()?) };
    words.end()?;
    Ok(name)
}
