//! Whether all is well, and what runs.

use super::{Definition, Exposition, word};
use crate::App;
use crate::tls::Tls;

const BUILD: Definition = Definition::info("skillscope_build", &["version"], "The version that runs.");

const READY: Definition =
    Definition::gauge("skillscope_ready", &[], "1 where requests should be sent here, as /readyz tells; 0 where not.");

const ACCEPTS_WRITES: Definition = Definition::gauge(
    "skillscope_disk_accepts_writes",
    &[],
    "1 where the disk takes writes; 0 where it refused the last ones.",
);

const BREACHES: Definition = Definition::counter(
    "skillscope_outcome_identity_breaches",
    &[],
    "Answered sets of metrics whose outcomes did not add up to their total: a defect, if it is not 0.",
);

const CERTIFICATE: Definition = Definition::gauge(
    "skillscope_tls_certificate_expires_timestamp",
    &[],
    "When the certificate ends that all doors show, since 1970. Absent without TLS.",
)
.in_seconds();

pub(super) fn add(all: &mut Exposition, app: &App) {
    all.family(&BUILD, [([word(env!("CARGO_PKG_VERSION"))], true.into())]);
    all.single(&READY, app.not_ready().is_none());
    all.single(&ACCEPTS_WRITES, app.store().accepts_writes());
    all.single(&BREACHES, app.engine().breaches());
    let ends = app.statistics().certificate().and_then(Tls::ends);
    all.family(&CERTIFICATE, ends.map(|ends| ([], (ends.timestamp() as f64).into())));
}
