pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod generate;
pub(crate) mod import;
pub(crate) mod remote;
pub(crate) mod replay;
pub(crate) mod serve;
