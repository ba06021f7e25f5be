//! One module a command. The command `sql` is the console's.

pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod generate;
pub(crate) mod import;
pub(crate) mod packaging;
pub(crate) mod replay;
pub(crate) mod self_signed;
pub(crate) mod serve;
pub(crate) mod token;
