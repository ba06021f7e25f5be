//! Queries that begin with `FROM`, whose words are put in the standard's order before they are parsed: `from segments
//! where skill_id = 1` is `SELECT * FROM segments WHERE skill_id = 1`, and `from segments select skill_id` is `SELECT
//! skill_id FROM segments`.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::beginning::{beginning, is_blank, keyword};

/// The most levels of parentheses in which such queries are looked for. Queries have fewer.
const MAX_LEVELS: usize = 200;

/// What may follow the list of a `SELECT`.
const AFTER_LIST: [Keyword; 12] = [
    Keyword::WHERE,
    Keyword::GROUP,
    Keyword::HAVING,
    Keyword::WINDOW,
    Keyword::QUALIFY,
    Keyword::ORDER,
    Keyword::LIMIT,
    Keyword::OFFSET,
    Keyword::FETCH,
    Keyword::UNION,
    Keyword::INTERSECT,
    Keyword::EXCEPT,
];

/// Where the words are, between two parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A query may begin.
    Beginning,
    /// Behind `CREATE`, where one begins after `AS`.
    Definition,
    /// Behind `WITH`, where one begins after its parts.
    Parts,
    /// Behind `UNION` and the like.
    Combined,
    /// Anywhere else.
    Within,
}

/// The same words, in which no query begins with `FROM`.
pub fn with_select_first(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut places = vec![Place::Beginning];
    let (mut without_list, mut before) = (Vec::new(), Keyword::NoKeyword);
    for at in beginning(&tokens)..tokens.len() {
        let Some(token) = tokens.get(at).filter(|token| !is_blank(token)) else { continue };
        let (sign, word) = (token.token.clone(), keyword(token));
        let place = places.pop().unwrap_or(Place::Within);
        match sign {
            Token::LParen => {
                // `trim(from x)` is another thing.
                let inner = if before == Keyword::TRIM { Place::Within } else { Place::Beginning };
                places.extend([place.after(Keyword::NoKeyword), inner]);
            }
            Token::RParen if !places.is_empty() => {}
            Token::SemiColon => places.push(Place::Beginning),
            _ => {
                if word == Keyword::FROM && place.begins_query() && places.len() < MAX_LEVELS {
                    match list_of(&tokens, at) {
                        Some((list, end)) => {
                            if let Some(query) = tokens.get_mut(at..end) {
                                query.rotate_left(list - at);
                            }
                        }
                        None => without_list.push(at),
                    }
                    places.push(Place::Within);
                } else {
                    places.push(place.after(word));
                }
            }
        }
        before = word;
    }
    with_lists(tokens, &without_list)
}

impl Place {
    /// Whether a `FROM` here begins a query.
    fn begins_query(self) -> bool {
        matches!(self, Self::Beginning | Self::Parts | Self::Combined)
    }

    /// The place after a word, or after something else.
    fn after(self, word: Keyword) -> Self {
        use Keyword::{
            ALL, AS, BY, CREATE, DELETE, DISTINCT, EXCEPT, INSERT, INTERSECT, MERGE, NAME, SELECT, TABLE, UNION,
            UPDATE, VALUES, WITH,
        };
        match (self, word) {
            (Self::Beginning, WITH) => Self::Parts,
            (Self::Beginning, CREATE) => Self::Definition,
            (Self::Definition, AS) => Self::Beginning,
            (Self::Definition, _) => Self::Definition,
            (Self::Parts, SELECT | VALUES | TABLE | INSERT | UPDATE | DELETE | MERGE) => Self::Within,
            (Self::Parts, _) => Self::Parts,
            (Self::Combined, ALL | DISTINCT | BY | NAME) => Self::Combined,
            (Self::Within, UNION | INTERSECT | EXCEPT) => Self::Combined,
            _ => Self::Within,
        }
    }
}

/// Where the `SELECT` stands that belongs to the `FROM` at a place, and where its list ends; `None` where there is none.
fn list_of(tokens: &[TokenWithSpan], from: usize) -> Option<(usize, usize)> {
    let select = ends(tokens, from + 1, |word, _, _| {
        matches!(word, Keyword::SELECT | Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT)
    });
    if keyword(tokens.get(select)?) != Keyword::SELECT {
        return None;
    }
    let list_ends = |word: Keyword, before: Option<&TokenWithSpan>, after: Option<&TokenWithSpan>| {
        let is = |token: Option<&TokenWithSpan>, sign: &Token| token.is_some_and(|token| token.token == *sign);
        let is_name = is(before, &Token::Period) || before.is_some_and(|before| keyword(before) == Keyword::AS);
        let is_part = match word {
            // `WITHIN GROUP (…)`, and `* EXCEPT (…)`.
            Keyword::GROUP => before.is_some_and(|before| keyword(before) == Keyword::WITHIN),
            Keyword::EXCEPT => is(before, &Token::Mul) && is(after, &Token::LParen),
            _ => false,
        };
        AFTER_LIST.contains(&word) && !is_name && !is_part
    };
    Some((select, ends(tokens, select + 1, list_ends)))
}

/// The first place from `start` on, outside of parentheses that begin after it, with a keyword at which something ends;
/// or the end of the parentheses that it is in, or of the statement. The keyword is looked at with the tokens around it.
fn ends(
    tokens: &[TokenWithSpan],
    start: usize,
    is_end: impl Fn(Keyword, Option<&TokenWithSpan>, Option<&TokenWithSpan>) -> bool,
) -> usize {
    let words = || tokens.iter().enumerate().skip(start).filter(|(_, token)| !is_blank(token));
    let (mut depth, mut before, mut after) = (0_usize, None, words().skip(1));
    for (place, token) in words() {
        let next = after.next().map(|(_, token)| token);
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => return place,
            Token::RParen => depth -= 1,
            Token::SemiColon if depth == 0 => return place,
            _ if depth == 0 && is_end(keyword(token), before, next) => return place,
            _ => {}
        }
        before = Some(token);
    }
    tokens.len()
}

/// The same tokens with `SELECT *` at these places.
fn with_lists(tokens: Vec<TokenWithSpan>, places: &[usize]) -> Vec<TokenWithSpan> {
    let (mut all, mut places) = (Vec::with_capacity(tokens.len() + 2 * places.len()), places.iter().peekable());
    for (place, token) in tokens.into_iter().enumerate() {
        if places.next_if(|next| **next == place).is_some() {
            let list = [Token::make_keyword("SELECT"), Token::Mul];
            all.extend(list.map(|word| TokenWithSpan::new(word, token.span)));
        }
        all.push(token);
    }
    all
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::GenericDialect;
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;
    use proptest::prelude::*;

    use super::*;

    fn tokens(text: &str) -> Vec<TokenWithSpan> {
        Tokenizer::new(&GenericDialect {}, text).tokenize_with_location().unwrap()
    }

    /// The words of a text, one blank between each two of them.
    fn words(tokens: &[TokenWithSpan]) -> String {
        let words = tokens.iter().filter(|token| !is_blank(token)).map(|token| token.token.to_string());
        words.collect::<Vec<_>>().join(" ")
    }

    fn ordered(text: &str) -> String {
        words(&with_select_first(tokens(text)))
    }

    #[test]
    fn queries_that_begin_with_from_begin_with_select() {
        for (text, expected) in [
            ("from t", "SELECT * from t"),
            (" -- x\n /* y */ FROM t;", "SELECT * FROM t ;"),
            ("from t where a = 1 order by 1", "SELECT * from t where a = 1 order by 1"),
            ("from t select a", "select a from t"),
            ("from t, u select a group by a", "select a from t , u group by a"),
            (
                "from t join u using (x) select distinct a, b where c",
                "select distinct a , b from t join u using ( x ) where c",
            ),
            ("from t select * except (a) limit 1", "select * except ( a ) from t limit 1"),
            ("from t select a except select b from u", "select a from t except select b from u"),
            ("from t union all from u", "SELECT * from t union all SELECT * from u"),
            ("from t select a union from u select b", "select a from t union select b from u"),
            ("from (from t select a) select b", "select b from ( select a from t )"),
            ("from (from t where c)", "SELECT * from ( SELECT * from t where c )"),
            ("select (from t select max(a)) from u", "select ( select max ( a ) from t ) from u"),
            ("select 1 where x in (from t)", "select 1 where x in ( SELECT * from t )"),
            (
                "with p as (from t), q as (from p) from q",
                "with p as ( SELECT * from t ) , q as ( SELECT * from p ) SELECT * from q",
            ),
            ("with p(a) as (select 1) from p select a", "with p ( a ) as ( select 1 ) select a from p"),
            ("explain from t", "explain SELECT * from t"),
            ("explain analyze verbose format tree from t", "explain analyze verbose format tree SELECT * from t"),
            ("explain (analyze, format tree) from t", "explain ( analyze , format tree ) SELECT * from t"),
            ("explain (from t)", "explain ( SELECT * from t )"),
            ("create or replace view v (a) as from t select b", "create or replace view v ( a ) as select b from t"),
            (
                "from t select percentile_cont(0.5) within group (order by x) where y",
                "select percentile_cont ( 0.5 ) within group ( order by x ) from t where y",
            ),
            ("from t select a as limit, b.order, c limit 1", "select a as limit , b . order , c from t limit 1"),
        ] {
            assert_eq!(ordered(text), expected, "{text}");
        }
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for text in [
            "select a from t",
            "select extract ( year from x ) from t",
            "select trim ( from ' x ' ) , substring ( a from 2 ) from t",
            "select count ( * ) from t where a is distinct from b",
            "select * except ( a ) from t",
            "select 1 as from , 2 from t",
            "with p as ( select 1 ) select * from p",
            "delete from t",
            "explain delete from t",
            "explain insert into t select a from u",
            "with p as ( select 1 ) delete from t",
            "\"from\" t",
            "select ) from t",
            "",
        ] {
            assert_eq!(ordered(text), text, "{text}");
        }
    }

    proptest! {
        #[test]
        fn words_are_moved_and_none_is_lost(
            parts in proptest::collection::vec(
                proptest::sample::select(vec!["from", "select", "t", "(", ")", "where", "union", "with", "as", ",", "*", ";", "explain"]),
                0..40,
            )
        ) {
            let text = parts.join(" ");
            let ordered = ordered(&text);
            let sorted = |text: &str| {
                let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
                words.sort();
                words
            };
            let added = ordered.matches("SELECT *").count();
            let expected = [text, "SELECT * ".repeat(added)].join(" ");
            prop_assert_eq!(sorted(&ordered), sorted(&expected));
            // What is in order is so already.
            prop_assert_eq!(words(&with_select_first(tokens(&ordered))), ordered);
        }
    }
}
