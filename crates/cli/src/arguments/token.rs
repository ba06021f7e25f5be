//! The options of `token add`, `token list` and `token revoke`.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use skillscope_query::Scope;
use skillscope_segment::AccountId;
use skillscope_server::Permission;

use super::store_address::DataDirectory;

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token, and print it: the only time that it is shown.
    Add(AddTokenArguments),
    /// List the tokens: name, account, scopes, expiry, and last use.
    List(DataDirectory),
    /// Take a token back. Whatever was let in by it ends.
    Revoke(RevokeTokenArguments),
}

#[derive(Debug, Args)]
pub(crate) struct AddTokenArguments {
    #[command(flatten)]
    pub(crate) directory: DataDirectory,
    /// How people call the token. It is also the user of a PostgreSQL client, whose password is the token.
    #[arg(long, value_name = "TEXT")]
    pub(crate) name: String,
    /// The account whose data it opens; * for all of them.
    #[arg(long, value_name = "ID|*", value_parser = account)]
    pub(crate) account: Scope,
    /// What it opens: report, ingest, sql, admin.
    #[arg(long, value_name = "SCOPE,…", value_delimiter = ',', required = true)]
    pub(crate) scopes: Vec<Permission>,
    /// After how long it opens nothing more, such as 90d, 12h or 30m; without it, when it is revoked.
    #[arg(long, value_name = "TIME", value_parser = duration_ms)]
    pub(crate) expires: Option<i64>,
    /// Make one for a client that signs its requests with OAuth 1.0, and print the four values that it needs.
    #[arg(long)]
    pub(crate) oauth1: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RevokeTokenArguments {
    #[command(flatten)]
    pub(crate) directory: DataDirectory,
    /// The name of the token.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(crate) name: String,
}

fn account(text: &str) -> Result<Scope, String> {
    if text == "*" {
        return Ok(Scope::All);
    }
    AccountId::parse(text).map(Scope::Account).map_err(|error| format!("{error}; or * for all accounts"))
}

/// A number of minutes, hours or days, in milliseconds.
fn duration_ms(text: &str) -> Result<i64, String> {
    const MINUTE_MS: i64 = 60_000;
    let unit = |unit: char| match unit {
        'm' => Some(MINUTE_MS),
        'h' => Some(60 * MINUTE_MS),
        'd' => Some(24 * 60 * MINUTE_MS),
        _ => None,
    };
    let parsed = text.chars().last().and_then(|last| {
        let number = text.strip_suffix(last)?.parse::<u32>().ok().filter(|number| *number > 0)?;
        i64::from(number).checked_mul(unit(last)?)
    });
    parsed.ok_or_else(|| "it is a number of days, hours or minutes, such as 90d, 12h or 30m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        let (minute, day) = (60_000, 86_400_000);
        assert_eq!(duration_ms("30m"), Ok(30 * minute));
        assert_eq!(duration_ms("12h"), Ok(day / 2));
        assert_eq!(duration_ms("90d"), Ok(90 * day));
        for wrong in ["", "d", "0d", "-1d", "90", "90 d", "90D", "1w", "1.5h", "99999999999d", "90ä"] {
            assert!(duration_ms(wrong).is_err(), "{wrong:?}");
        }
    }
}
