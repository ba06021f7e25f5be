//! The roles that a session sees: who it is, whom everything belongs to, and those of every PostgreSQL.

use super::numbers;
use super::session_values::SessionValues;

/// The roles of every PostgreSQL, with their numbers.
const PREDEFINED: [(&str, i32); 14] = [
    ("pg_checkpoint", 4544),
    ("pg_create_subscription", 6304),
    ("pg_database_owner", 6171),
    ("pg_execute_server_program", 4571),
    ("pg_monitor", 3373),
    ("pg_read_all_data", 6181),
    ("pg_read_all_settings", 3374),
    ("pg_read_all_stats", 3375),
    ("pg_read_server_files", 4569),
    ("pg_signal_backend", 4200),
    ("pg_stat_scan_tables", 3377),
    ("pg_use_reserved_connections", 4550),
    ("pg_write_all_data", 6182),
    ("pg_write_server_files", 4570),
];

/// A role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) name: String,
    pub(super) number: i32,
    pub(super) can_log_in: bool,
}

/// The roles that a session sees.
pub(super) fn roles(session: &SessionValues) -> Vec<Role> {
    let mut roles = vec![Role { name: super::OWNER.to_owned(), number: numbers::OWNER, can_log_in: false }];
    if session.user == super::OWNER {
        roles.iter_mut().for_each(|owner| owner.can_log_in = true);
    } else {
        let number = numbers::of_role(&session.user);
        roles.push(Role { name: session.user.clone(), number, can_log_in: true });
    }
    let predefined = PREDEFINED.iter();
    roles.extend(predefined.map(|(name, number)| Role {
        name: (*name).to_owned(),
        number: *number,
        can_log_in: false,
    }));
    roles
}
