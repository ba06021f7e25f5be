//! The report, as it is followed.

use axum::body::Bytes;
use skillscope_query::ReportRequest;
use skillscope_segment::AccountId;

use super::problem::Problem;
use super::report::{ReportMemory, SMALL_CELLS};
use super::streams::{Followed, event};
use crate::App;
use crate::access::Holder;
use crate::memory_budget::{Owners, Share};

/// A report that somebody follows.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct FollowedReport {
    account: AccountId,
    /// As of the epoch: what differs is what is asked, and not when.
    request: ReportRequest,
}

/// What reports are answered from.
pub(super) struct ReportSource {
    pub(super) app: App,
    pub(super) memory: ReportMemory,
}

/// An event, with the memory that it was given.
struct Kept {
    text: Vec<u8>,
    _share: Share,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

impl FollowedReport {
    pub(super) fn new(account: AccountId, request: &ReportRequest) -> Self {
        Self { account, request: request.at(0) }
    }
}

impl Followed for FollowedReport {
    type Source = ReportSource;

    /// On the threads for reports, whatever its size: none is asked for by one alone. A large one holds its bytes' share
    /// of the memory until the last who sends them has done so.
    async fn answer(&self, source: &ReportSource) -> Result<Bytes, Problem> {
        let app = source.app.clone();
        let at = app.engine().clock().now();
        let request = self.request.at(at);
        let cells = app.engine().report_cells(&request);
        let owners = Owners::of(Some(&self.account), Holder::Anybody);
        let share = if cells > SMALL_CELLS { Some(source.memory.take(&owners, cells).await?) } else { None };
        let work = async move {
            let report = app.engine().report(&request).await?;
            let text = event("report", at, |out| report.write_json(out));
            Ok::<_, Problem>(match share {
                None => text.into(),
                Some(share) => kept(text, share),
            })
        };
        let (event, _place) = source.app.threads().reports.run(cells, work).await?;
        event
    }
}

fn kept(mut text: Vec<u8>, mut share: Share) -> Bytes {
    text.shrink_to_fit();
    share.shrink_to(text.len());
    Bytes::from_owner(Kept { text, _share: share })
}
