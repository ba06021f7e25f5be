//! How large a plan a statement may become.
//!
//! DataFusion plans a part `WITH name AS (…)` anew wherever it is named, has the keys of each grouping set of a `CUBE`,
//! and carries the columns of a join along with each further one. A few lines could be planned for ever. So the size of
//! the plan is counted first, from the text alone.

use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;
use std::ptr::from_ref;

use datafusion::common::plan_datafusion_err;
use datafusion::error::Result;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, BinaryOperator, DataType, Expr, GroupByExpr, GroupByWithModifier, ObjectName, Query, Select,
    SelectItem, SetExpr, SetOperator, TableFactor, TableWithJoins, Visit, Visitor,
};

use super::dialect::{is_associative, value_of};

/// What a statement may become at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct MaxSize {
    /// The tables that a query names. A part that is named counts as all tables that it names itself.
    pub(super) tables: usize,
    /// The levels of an expression, of queries in one another, or of queries that set operations combine. A chain of
    /// one operator is one level.
    pub(super) levels: usize,
    /// The operators of a chain of `-`, `*` and the like, which are computed one after the other.
    pub(super) links: usize,
    /// The sets of keys by which a query groups, with those of its parts wherever they are named.
    pub(super) grouping_sets: usize,
    /// The bytes of the names of all columns that a query and its parts have, and the joins in it.
    pub(super) names: usize,
}

/// What of an expression is written twice in its plan, may itself have so many levels of such expressions.
const MAX_DOUBLINGS: usize = 10;

/// A subquery in an expression may itself have so many levels of them: DataFusion checks what is in one twice, what is
/// in that four times, and so on.
const MAX_SUBQUERIES: usize = 16;

/// Functions whose plans have their arguments twice.
const DOUBLING: [&str; 5] = ["coalesce", "nvl", "ifnull", "nvl2", "nullif"];

/// The most levels and the most elements of an array's type.
const MAX_ARRAY_LEVELS: usize = 16;
const MAX_ARRAY_ELEMENTS: u64 = 1_024;

/// What a name counts at least.
const NAME_BYTES: usize = 24;

/// What the columns of a table count.
const TABLE_BYTES: usize = 32 * NAME_BYTES;

/// Refuses a statement that would become too large a plan.
pub(super) fn check_size(statement: &Statement, most: MaxSize) -> Result<()> {
    let mut sizes = Sizes {
        most,
        queries: vec![OpenQuery::default()],
        chains: HashMap::new(),
        expressions: Vec::new(),
        levels: 0,
        links: 0,
        subqueries: 0,
        doublings: 0,
        widths: HashMap::new(),
    };
    match visit(statement, &mut sizes) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(too_large) => Err(plan_datafusion_err!("{too_large}")),
    }
}

fn visit(statement: &Statement, sizes: &mut Sizes) -> ControlFlow<String> {
    match statement {
        Statement::Statement(statement) => statement.visit(sizes),
        Statement::Explain(explain) => visit(&explain.statement, sizes),
        _ => ControlFlow::Continue(()),
    }
}

struct Sizes {
    most: MaxSize,
    /// The queries that the visit is inside of, the outermost first. The first one stands for the statement.
    queries: Vec<OpenQuery>,
    /// The operands that go on with the chain of the operator that they belong to, by their addresses, and what they
    /// add to it.
    chains: HashMap<usize, Depth>,
    /// What each of the expressions that the visit is inside of has added to its depth.
    expressions: Vec<Depth>,
    /// The levels of the expression that the visit is inside of.
    levels: usize,
    /// Those of its operators that go on with a chain.
    links: usize,
    /// The subqueries that the visit is inside of, but for those in the place of a table.
    subqueries: usize,
    /// Those of them whose plans have their operands twice.
    doublings: usize,
    /// The bytes of the names of the columns of each query and selection that was visited, by its address.
    widths: HashMap<usize, usize>,
}

/// What an expression adds to the depth of those in it.
#[derive(Debug, Clone, Copy, Default)]
struct Depth {
    levels: usize,
    links: usize,
}

/// A query that is being visited.
#[derive(Default)]
struct OpenQuery {
    /// Its name, where it is a part of the query around it.
    name: Option<String>,
    /// The names of its parts that have not been visited yet. The parts of a query are the first queries in it that are
    /// visited, in the order of the text, because the list of parts is the first member of [`Query`].
    parts_to_come: VecDeque<String>,
    /// The parts that have been visited.
    parts: HashMap<String, Part>,
    /// What it has so far.
    size: Size,
}

#[derive(Debug, Clone, Copy, Default)]
struct Size {
    tables: usize,
    grouping_sets: usize,
    names: usize,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    size: Size,
    /// The bytes of the names of its columns.
    width: usize,
}

impl Sizes {
    fn add(&mut self, more: Size) -> ControlFlow<String> {
        let Some(query) = self.queries.last_mut() else { return ControlFlow::Continue(()) };
        let size = &mut query.size;
        size.tables = size.tables.saturating_add(more.tables);
        size.grouping_sets = size.grouping_sets.saturating_add(more.grouping_sets);
        size.names = size.names.saturating_add(more.names);
        let (size, most) = (*size, self.most);
        if size.tables > most.tables {
            let most = most.tables;
            return ControlFlow::Break(format!("the statement names more than {most} tables, with those of its parts"));
        }
        if size.grouping_sets > most.grouping_sets {
            let most = most.grouping_sets;
            let text = "sets of keys, with those that CUBE and ROLLUP make";
            return ControlFlow::Break(format!("the statement groups by more than {most} {text}"));
        }
        if size.names > most.names {
            let most = most.names;
            let text = "the columns that the statement's parts, joins and queries have";
            return ControlFlow::Break(format!("the names of {text} take more than {most} bytes"));
        }
        ControlFlow::Continue(())
    }

    /// Notes which operands of an operator go on with its chain.
    fn follow_chain(&mut self, expression: &Expr) {
        let Expr::BinaryOp { left, op, right } = expression else { return };
        let Some(chain) = Chain::of(op) else { return };
        // These become trees of few levels, with operands on both sides.
        let is_tree = is_associative(op);
        let operands = [Some(left), is_tree.then_some(right)];
        for (operand, of_operand) in operands.into_iter().flatten().filter_map(|operand| chain_of(operand)) {
            if let Some(depth) = chain.depth_of(of_operand, is_tree) {
                self.chains.insert(address(operand), depth);
            }
        }
    }

    fn part(&self, name: &ObjectName) -> Option<Part> {
        let name = match name.0.as_slice() {
            [part] => part.as_ident().map(|part| part.value.to_lowercase())?,
            _ => return None,
        };
        self.queries.iter().rev().find_map(|query| query.parts.get(&name).copied())
    }

    fn too_deep(&self) -> ControlFlow<String> {
        ControlFlow::Break(format!("the statement is nested more than {} levels deep", self.most.levels))
    }

    fn width_of<T>(&self, visited: &T) -> usize {
        self.widths.get(&address(visited)).copied().unwrap_or(TABLE_BYTES)
    }

    fn width_of_body(&self, body: &SetExpr) -> usize {
        match body {
            SetExpr::Select(select) => self.width_of(select.as_ref()),
            SetExpr::Query(query) => self.width_of(query.as_ref()),
            SetExpr::SetOperation { left, .. } => self.width_of_body(left),
            SetExpr::Values(values) => {
                values.rows.first().map_or(0, |row| row.content.len().saturating_mul(NAME_BYTES))
            }
            _ => TABLE_BYTES,
        }
    }

    fn width_of_table(&self, table: &TableFactor) -> usize {
        let (width, alias) = match table {
            TableFactor::Table { name, alias, .. } => {
                (self.part(name).map_or(TABLE_BYTES, |part| part.width), alias.as_ref())
            }
            TableFactor::Derived { subquery, alias, .. } => (self.width_of(subquery.as_ref()), alias.as_ref()),
            TableFactor::NestedJoin { table_with_joins, alias } => (self.joined(table_with_joins).0, alias.as_ref()),
            _ => (TABLE_BYTES, None),
        };
        // Every column has the name of its table, too.
        let alias = alias.map_or(0, |alias| alias.name.value.len());
        width.saturating_mul(1 + alias / NAME_BYTES)
    }

    /// The bytes of the names of the columns of a join, and of all joins in it together.
    fn joined(&self, tables: &TableWithJoins) -> (usize, usize) {
        let joined = tables.joins.iter().map(|join| &join.relation);
        let mut sum = (0_usize, 0_usize);
        for table in std::iter::once(&tables.relation).chain(joined) {
            sum.0 = sum.0.saturating_add(self.width_of_table(table));
            sum.1 = sum.1.saturating_add(sum.0);
        }
        sum
    }
}

/// The operators that may follow one another in a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chain {
    And,
    Or,
    Plus,
    Minus,
    Text,
    /// `*`, `/` and `%`.
    Product,
}

impl Chain {
    fn of(op: &BinaryOperator) -> Option<Self> {
        match op {
            BinaryOperator::And => Some(Self::And),
            BinaryOperator::Or => Some(Self::Or),
            BinaryOperator::Plus => Some(Self::Plus),
            BinaryOperator::Minus => Some(Self::Minus),
            BinaryOperator::StringConcat => Some(Self::Text),
            BinaryOperator::Multiply | BinaryOperator::Divide | BinaryOperator::Modulo => Some(Self::Product),
            _ => None,
        }
    }

    /// What an operand adds that goes on with a chain; `None` where it does not.
    fn depth_of(self, operand: Self, is_tree: bool) -> Option<Depth> {
        match (self, operand) {
            _ if is_tree && self == operand => Some(Depth { levels: 0, links: 0 }),
            (Self::Minus, Self::Minus | Self::Plus) | (Self::Plus, Self::Minus) | (Self::Product, Self::Product) => {
                Some(Depth { levels: 0, links: 1 })
            }
            _ => None,
        }
    }
}

/// The operator of an expression that may be in parentheses.
fn chain_of(mut expression: &Expr) -> Option<(&Expr, Chain)> {
    loop {
        match expression {
            Expr::Nested(inner) => expression = inner,
            Expr::BinaryOp { op, .. } => return Some((expression, Chain::of(op)?)),
            _ => return None,
        }
    }
}

fn address<T>(node: &T) -> usize {
    from_ref(node).addr()
}

impl Visitor for Sizes {
    type Break = String;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        if self.queries.len() > self.most.levels || levels_of_body(&query.body) > self.most.levels {
            return self.too_deep();
        }
        let name = self.queries.last_mut().and_then(|around| around.parts_to_come.pop_front());
        let parts = query.with.iter().flat_map(|with| &with.cte_tables);
        let parts_to_come = parts.map(|part| part.alias.name.value.to_lowercase()).collect();
        self.queries.push(OpenQuery { name, parts_to_come, ..OpenQuery::default() });
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        let width = self.width_of_body(&query.body);
        self.widths.insert(address(query), width);
        let Some(visited) = self.queries.pop() else { return ControlFlow::Continue(()) };
        match (visited.name, self.queries.last_mut()) {
            (Some(name), Some(around)) => {
                around.parts.insert(name, Part { size: visited.size, width });
                ControlFlow::Continue(())
            }
            _ => self.add(visited.size),
        }
    }

    fn post_visit_select(&mut self, select: &Select) -> ControlFlow<String> {
        let mut from = (0_usize, 0_usize);
        for tables in &select.from {
            let (width, names) = self.joined(tables);
            from.0 = from.0.saturating_add(width);
            // Tables after a comma are joined to all those before them.
            from.1 = from.1.saturating_add(names).saturating_add(from.0);
        }
        let of_item = |item: &SelectItem| match item {
            SelectItem::UnnamedExpr(expression) => length(expression),
            SelectItem::ExprWithAlias { alias, .. } => alias.value.len().max(NAME_BYTES),
            SelectItem::ExprWithAliases { aliases, .. } => {
                aliases.iter().map(|alias| alias.value.len().max(NAME_BYTES)).sum()
            }
            SelectItem::QualifiedWildcard(..) | SelectItem::Wildcard(_) => from.0,
        };
        let width = select.projection.iter().map(of_item).fold(0, usize::saturating_add);
        self.widths.insert(address(select), width);
        let names = from.1.saturating_add(width);
        self.add(Size { tables: 0, grouping_sets: grouping_sets(&select.group_by), names })
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<String> {
        let mut size = self.part(name).map(|part| part.size).unwrap_or_default();
        size.tables = size.tables.max(1);
        self.add(size)
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<String> {
        let goes_on = self.chains.remove(&address(expression));
        let depth = goes_on.unwrap_or(Depth { levels: usize::from(is_level(expression)), links: 0 });
        self.expressions.push(depth);
        self.levels += depth.levels;
        self.links += depth.links;
        if self.levels > self.most.levels {
            return self.too_deep();
        }
        if self.links > self.most.links {
            let text = format!("a chain of operators such as - or * has more than {} of them", self.most.links);
            return ControlFlow::Break(text);
        }
        self.subqueries += usize::from(is_subquery(expression));
        if self.subqueries > MAX_SUBQUERIES {
            let text = format!("subqueries in expressions are nested more than {MAX_SUBQUERIES} levels deep");
            return ControlFlow::Break(text);
        }
        self.follow_chain(expression);
        self.doublings += usize::from(is_doubling(expression));
        if self.doublings > MAX_DOUBLINGS {
            let text = format!("BETWEEN, COALESCE and the like are nested more than {MAX_DOUBLINGS} levels deep");
            return ControlFlow::Break(text);
        }
        match expression {
            Expr::Cast { data_type, .. } if !is_small(data_type) => {
                let limits = format!("{MAX_ARRAY_LEVELS} levels and {MAX_ARRAY_ELEMENTS} elements");
                ControlFlow::Break(format!("a type of arrays has at most {limits}"))
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn post_visit_expr(&mut self, expression: &Expr) -> ControlFlow<String> {
        let depth = self.expressions.pop().unwrap_or_default();
        self.subqueries -= usize::from(is_subquery(expression));
        self.levels -= depth.levels;
        self.links -= depth.links;
        self.doublings -= usize::from(is_doubling(expression));
        ControlFlow::Continue(())
    }
}

/// Parentheses alone leave nothing behind in a plan.
fn is_level(expression: &Expr) -> bool {
    !matches!(expression, Expr::Nested(_))
}

fn is_subquery(expression: &Expr) -> bool {
    match expression {
        Expr::Subquery(query) => value_of(query).is_none(),
        Expr::Exists { .. } | Expr::InSubquery { .. } => true,
        _ => false,
    }
}

fn is_doubling(expression: &Expr) -> bool {
    match expression {
        Expr::Between { .. } => true,
        Expr::Function(function) => {
            let name = function.name.0.last().and_then(|name| name.as_ident());
            name.is_some_and(|name| DOUBLING.iter().any(|doubling| name.value.eq_ignore_ascii_case(doubling)))
        }
        _ => false,
    }
}

/// The length of an expression that is the name of its column.
fn length(expression: &Expr) -> usize {
    match expression {
        Expr::Identifier(name) => name.value.len().max(NAME_BYTES),
        _ => expression.to_string().len().max(NAME_BYTES),
    }
}

/// A chain of `UNION` is one level, since it becomes a tree of few.
fn levels_of_body(body: &SetExpr) -> usize {
    match body {
        SetExpr::SetOperation { left, right, .. } => 1 + levels_inside(body, left).max(levels_inside(body, right)),
        _ => 0,
    }
}

fn levels_inside(body: &SetExpr, branch: &SetExpr) -> usize {
    match (body, branch) {
        (
            SetExpr::SetOperation { op: SetOperator::Union, set_quantifier, .. },
            SetExpr::SetOperation { op: SetOperator::Union, set_quantifier: inner, left, right },
        ) if set_quantifier == inner => levels_inside(branch, left).max(levels_inside(branch, right)),
        _ => levels_of_body(branch),
    }
}

/// Whether a type of arrays, of arrays of arrays and so on has few levels and elements.
fn is_small(data_type: &DataType) -> bool {
    let (mut inner, mut elements) = (data_type, 1_u64);
    for _ in 0..=MAX_ARRAY_LEVELS {
        inner = match inner {
            DataType::Array(ArrayElemTypeDef::SquareBracket(element, length)) => {
                elements = elements.saturating_mul(length.unwrap_or(1).max(1));
                element
            }
            DataType::Array(ArrayElemTypeDef::AngleBracket(element) | ArrayElemTypeDef::Parenthesis(element)) => {
                element
            }
            _ => return elements <= MAX_ARRAY_ELEMENTS,
        };
    }
    false
}

/// The number of sets of keys, where there are several: what the elements of `GROUP BY` are each, multiplied.
fn grouping_sets(group_by: &GroupByExpr) -> usize {
    let (keys, modifiers) = match group_by {
        GroupByExpr::Expressions(keys, modifiers) => (keys.as_slice(), modifiers),
        GroupByExpr::All(modifiers) => ([].as_slice(), modifiers),
    };
    let sets = keys.iter().map(sets_of).fold(1, usize::saturating_mul);
    let sets = modifiers.iter().fold(sets, |sets, modifier| {
        sets.saturating_mul(match modifier {
            GroupByWithModifier::Cube => powers_of_two(keys.len()),
            GroupByWithModifier::Rollup | GroupByWithModifier::Totals => keys.len().saturating_add(1),
            GroupByWithModifier::GroupingSets(sets) => sets_of(sets),
        })
    });
    if sets > 1 { sets } else { 0 }
}

fn sets_of(key: &Expr) -> usize {
    match key {
        Expr::Cube(keys) => powers_of_two(keys.len()),
        Expr::Rollup(keys) => keys.len().saturating_add(1),
        Expr::GroupingSets(sets) => sets.len().max(1),
        Expr::Nested(key) => sets_of(key),
        _ => 1,
    }
}

fn powers_of_two(power: usize) -> usize {
    u32::try_from(power).ok().and_then(|power| 1_usize.checked_shl(power)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use datafusion::sql::parser::DFParser;

    use super::super::dialect::read;
    use super::*;

    const ANY: MaxSize = MaxSize {
        tables: usize::MAX,
        levels: usize::MAX,
        links: usize::MAX,
        grouping_sets: usize::MAX,
        names: usize::MAX,
    };

    /// The least number for which a statement is taken, where `most` sets what may be at most.
    fn size(text: &str, most: impl Fn(usize) -> MaxSize) -> usize {
        let statement = DFParser::parse_sql(text).unwrap().pop_front().unwrap();
        (0..20_000).find(|number| check_size(&statement, most(*number)).is_ok()).unwrap()
    }

    #[test]
    fn a_part_counts_as_its_tables_wherever_it_is_named() {
        for (text, tables) in [
            ("select 1", 0),
            ("select * from a, b where exists (select * from c)", 3),
            ("with a as (select * from x, y) select * from z", 2),
            ("with a as (select * from x, y) select * from a, a as b", 4),
            ("with a as (select * from x, y), b as (select * from a, A) select * from b", 4),
            // The inner query of a part is no part, and its own parts are nobody else's.
            ("with a as (select * from (select * from x, y)), b as (select 1) select * from a, b", 3),
            ("with a as (with b as (select * from x, y) select * from b, b) select * from a, b", 5),
            ("explain with a as (select * from x, y) select * from a, a as b", 4),
        ] {
            assert_eq!(size(text, |tables| MaxSize { tables, ..ANY }), tables, "{text}");
        }
    }

    #[test]
    fn sets_of_keys_are_counted_before_they_are_made() {
        for (text, sets) in [
            ("select 1", 0),
            ("select 1 from t group by a, b", 0),
            ("select 1 from t group by cube (a, b, c)", 8),
            ("select 1 from t group by rollup (a, b, c)", 4),
            ("select 1 from t group by grouping sets ((a), (a, b), ())", 3),
            ("select 1 from t group by cube (a, b), rollup (c, d), e", 12),
            ("with p as (select 1 from t group by cube (a, b)) select 1 from p, p as q", 8),
        ] {
            assert_eq!(size(text, |grouping_sets| MaxSize { grouping_sets, ..ANY }), sets, "{text}");
        }
        let many = format!("select 1 from t group by cube ({}a)", "a, ".repeat(100));
        let statement = DFParser::parse_sql(&many).unwrap().pop_front().unwrap();
        assert!(check_size(&statement, MaxSize { grouping_sets: 1 << 20, ..ANY }).is_err());
    }

    #[test]
    fn levels_of_expressions_and_of_set_operations_are_counted() {
        for (text, levels) in [
            ("select 1", 1),
            ("select 1 + 1 + 1", 2),
            ("select (1 + 1) - 1 + 1", 2),
            ("select 1 + (1 * (1 + 1))", 4),
            ("select a + (b + (c + d))", 2),
            ("select a or b or (c or d and e and f)", 3),
            ("select a and b or c and d or e", 3),
            ("select ((((1))))", 1),
            ("select abs(a) from t where a in (1, 2, 3)", 2),
            ("select 1 union all select 1 union all select 1", 1),
            ("select 1 union all select 1 union select 1", 2),
            ("select 1 except select 1 except select 1", 2),
            ("select * from (select * from (select * from a))", 3),
        ] {
            assert_eq!(size(text, |levels| MaxSize { levels, ..ANY }), levels, "{text}");
        }
        for (text, links) in [
            ("select 1", 0),
            ("select 1 + 1 - 1 + 1", 2),
            ("select a or b or c", 0),
            ("select a || b || c || d", 0),
            ("select a * b / c", 1),
        ] {
            assert_eq!(size(text, |links| MaxSize { links, ..ANY }), links, "{text}");
        }
    }

    #[test]
    fn names_count_in_every_join_and_query_that_has_them() {
        let (name, table) = (NAME_BYTES, TABLE_BYTES);
        for (text, names) in [
            ("select 1", name),
            ("select a, b from t", 2 * name + 2 * table),
            ("select 1 from t join u on true join v on true", name + (1 + 2 + 3 + 3) * table),
            ("select * from (select a from t)", (name + 2 * table) + 3 * name),
            (
                "with p as (select a from t) select * from p, p as q",
                2 * (name + 2 * table) + (1 + 1 + 1 + 2 + 2) * name,
            ),
        ] {
            assert_eq!(size(text, |names| MaxSize { names, ..ANY }), names, "{text}");
        }
    }

    #[test]
    fn what_doubles_level_by_level_has_few_of_them() {
        let nested = |levels: usize| {
            let (before, after) = ("coalesce(".repeat(levels), ", 1)".repeat(levels));
            let statement = DFParser::parse_sql(&format!("select {before}a{after}")).unwrap().pop_front().unwrap();
            check_size(&statement, ANY).is_ok()
        };
        assert!(nested(MAX_DOUBLINGS));
        assert!(!nested(MAX_DOUBLINGS + 1));
    }

    #[test]
    fn subqueries_in_expressions_have_few_levels() {
        let nested = |levels: usize| {
            let text = format!("select {}1{}", "(select max(a) from t where a < ".repeat(levels), ")".repeat(levels));
            check_size(&read(&text).unwrap().statement, ANY).is_ok()
        };
        assert!(nested(10) && nested(MAX_SUBQUERIES) && !nested(MAX_SUBQUERIES + 1));
        let values = format!("select {}1{}", "(select ".repeat(20), ")".repeat(20));
        assert!(check_size(&read(&values).unwrap().statement, ANY).is_ok());
    }

    #[test]
    fn types_of_arrays_are_small() {
        for (text, is_small) in
            [("select cast(a as int[])", true), ("select a::int[10][10]", true), ("select a::int[65536][65536]", false)]
        {
            let statement = DFParser::parse_sql(text).unwrap().pop_front().unwrap();
            assert_eq!(check_size(&statement, ANY).is_ok(), is_small, "{text}");
        }
        let deep = format!("select a::int{}", "[]".repeat(MAX_ARRAY_LEVELS + 1));
        let statement = DFParser::parse_sql(&deep).unwrap().pop_front().unwrap();
        assert!(check_size(&statement, ANY).is_err());
    }
}
