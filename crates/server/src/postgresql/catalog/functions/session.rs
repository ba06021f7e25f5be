//! Who the session is, and where.

use chrono::Utc;

use super::call::{Answer, CatalogFunction, Returns};

pub(super) const ALL: &[CatalogFunction] = &[
    CatalogFunction::new(&["current_database", "current_catalog"], 0..=0, Returns::Text, |asked, _| {
        Ok(Answer::text(asked.session.database.clone()))
    }),
    CatalogFunction::new(
        &["current_user", "session_user", "user", "current_role"],
        0..=0,
        Returns::Text,
        |asked, _| Ok(Answer::text(asked.session.user.clone())),
    ),
    CatalogFunction::new(&["current_schema"], 0..=0, Returns::Text, |_, _| Ok(Answer::text("public"))),
    CatalogFunction::new(&["current_schemas"], 1..=1, Returns::Texts, |_, row| {
        let implicit = row.flag(0).unwrap_or(false).then_some("pg_catalog");
        Ok(Some(Answer::Texts(implicit.into_iter().chain(["public"]).map(str::to_owned).collect())))
    }),
    CatalogFunction::new(&["pg_backend_pid"], 0..=0, Returns::Number, |asked, _| {
        Ok(Some(Answer::Number(asked.session.pid.into())))
    }),
    CatalogFunction::new(&["pg_postmaster_start_time", "pg_conf_load_time"], 0..=0, Returns::Time, |asked, _| {
        Ok(Some(Answer::Number(asked.session.started.timestamp_micros())))
    }),
    // It takes no copy of another server, and has no copies.
    CatalogFunction::new(
        &["pg_is_in_recovery", "pg_is_wal_replay_paused", "pg_is_in_backup"],
        0..=0,
        Returns::Flag,
        |_, _| Ok(Some(Answer::Flag(false))),
    ),
    // Nothing is locked by hand, so that there is nothing to unlock.
    CatalogFunction::new(&["pg_advisory_unlock_all"], 0..=0, Returns::Text, |_, _| Ok(Answer::text(""))),
    CatalogFunction::new(&["pg_advisory_unlock", "pg_advisory_unlock_shared"], 1..=2, Returns::Flag, |_, _| {
        Ok(Some(Answer::Flag(false)))
    }),
    // Statements change nothing, so that no transaction is ever given a number.
    CatalogFunction::new(
        &["txid_current_if_assigned", "pg_current_xact_id_if_assigned"],
        0..=0,
        Returns::Large,
        |_, _| Ok(None),
    ),
    CatalogFunction::new(&["txid_current", "pg_current_xact_id"], 0..=0, Returns::Large, |_, _| {
        Ok(Some(Answer::Number(Utc::now().timestamp_micros())))
    })
    .volatile(),
    CatalogFunction::new(&["pg_blocking_pids", "pg_safe_snapshot_blocking_pids"], 1..=1, Returns::Numbers, |_, _| {
        Ok(Some(Answer::Numbers(Vec::new())))
    }),
    CatalogFunction::new(&["inet_server_addr", "inet_client_addr"], 0..=0, Returns::Text, |_, _| Ok(None)),
    CatalogFunction::new(&["inet_server_port", "inet_client_port"], 0..=0, Returns::Number, |_, _| Ok(None)),
    CatalogFunction::new(&["getdatabaseencoding", "pg_client_encoding"], 0..=0, Returns::Text, |_, _| {
        Ok(Answer::text("UTF8"))
    }),
    CatalogFunction::new(&["pg_jit_available"], 0..=0, Returns::Flag, |_, _| Ok(Some(Answer::Flag(false)))),
    CatalogFunction::new(&["pg_last_wal_receive_lsn", "pg_last_wal_replay_lsn"], 0..=0, Returns::Text, |_, _| Ok(None)),
    CatalogFunction::new(&["pg_last_xact_replay_timestamp"], 0..=0, Returns::Time, |_, _| Ok(None)),
];
