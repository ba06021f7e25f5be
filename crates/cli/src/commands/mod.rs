//! One module a command. The command `sql` is the console's.

pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod generate;
pub(crate) mod import;
pub(crate) mod replay;
pub(crate) mod serve;
