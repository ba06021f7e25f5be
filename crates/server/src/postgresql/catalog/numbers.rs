//! The numbers (OIDs) of what is ours: made of names, so that they are the same on every connection, in every database
//! and after a restart.

/// The first number that is not PostgreSQL's own.
const FIRST: u64 = 16_384;

/// One more than the last number that fits where numbers have a sign.
const END: u64 = 1 << 31;

/// The number of PostgreSQL's schema of itself.
pub(super) const PG_CATALOG: i32 = 11;

/// The number of the schema of tables that are named without one.
pub(super) const PUBLIC: i32 = 2200;

/// The number of the role that everything belongs to.
pub(super) const OWNER: i32 = 10;

/// The number of a schema.
pub(super) fn of_schema(name: &str) -> i32 {
    match name {
        "pg_catalog" => PG_CATALOG,
        "public" => PUBLIC,
        _ => of("schema", &[name]),
    }
}

/// The number of a table or view.
pub(in crate::postgresql) fn of_relation(schema: &str, name: &str) -> i32 {
    of("relation", &[schema, name])
}

/// The number of a database.
pub(super) fn of_database(name: &str) -> i32 {
    of("database", &[name])
}

/// The number of a role.
pub(super) fn of_role(name: &str) -> i32 {
    if name == super::OWNER { OWNER } else { of("role", &[name]) }
}

/// The number of a function.
pub(super) fn of_function(name: &str) -> i32 {
    of("function", &[name])
}

/// The number that follows, for a name whose number is taken.
pub(super) fn next(number: i32) -> i32 {
    number.checked_add(1).unwrap_or(FIRST as i32)
}

/// FNV-1a of the parts, each with its end, folded to the numbers that are free for us.
fn of(kind: &str, parts: &[&str]) -> i32 {
    let bytes = std::iter::once(&kind).chain(parts).flat_map(|part| part.bytes().chain([0]));
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    i32::try_from(FIRST + hash % (END - FIRST)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_of_names_alone() {
        // They must never change: clients keep them.
        assert_eq!(of_relation("public", "segments"), of_relation("public", "segments"));
        let numbers = [
            of_relation("public", "segments"),
            of_relation("system", "segments"),
            of_relation("publicsegments", ""),
            of_schema("system"),
            of_database("system"),
            of_role("system"),
            of_function("system"),
        ];
        let different: std::collections::BTreeSet<_> = numbers.iter().collect();
        assert_eq!(different.len(), numbers.len());
        assert!(numbers.iter().all(|number| *number >= FIRST as i32));
        assert_eq!((of_schema("pg_catalog"), of_schema("public"), of_role("skillscope")), (11, 2200, 10));
        assert_eq!(next(i32::MAX), 16_384);
    }
}
