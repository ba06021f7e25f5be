//! A write of what an export of message history tells: closed segments, and conversations that go on.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use skillscope_segment::{DeadLetter, Segmented, ToldConversation};

use super::appended::Appended;
use super::candidates::Candidates;
use super::resumes::ResumeSearches;
use crate::archive::keys::{ArchivedKeys, Sought};
use crate::calendar::hour_of;
use crate::error::{Error, Result};
use crate::rows::keys::{Admission, KeyHasher};
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::writer::Writer;

/// What an export tells.
#[derive(Debug)]
pub(crate) struct History {
    /// The closed segments.
    pub(crate) segments: Candidates,
    told: Vec<ToldConversation>,
    /// The places in `told` of conversations that are told open, and ended later according to an archive file.
    ended: BTreeSet<usize>,
    /// When it came, on a clock that nobody sets, in milliseconds.
    steady: i64,
}

/// The outcome for conversations, while the segments that they closed are still to be stored.
#[derive(Debug)]
pub(crate) struct Adopted {
    /// The number of conversations that are open in the export, and are followed as open.
    followed: usize,
    gaps_given_up: BTreeMap<Box<str>, usize>,
    /// The accounts of these conversations.
    accounts: BTreeSet<Box<str>>,
}

impl History {
    pub(crate) fn new(
        segments: Candidates,
        told: Vec<ToldConversation>,
        hasher: KeyHasher,
        archived_keys: &ArchivedKeys,
        shared: &Shared,
    ) -> Result<Self> {
        let ended = ended(&told, hasher, archived_keys, &shared.snapshot())?;
        Ok(Self { segments, told, ended, steady: shared.options().clock.steady() })
    }

    pub(crate) fn rows(&self) -> usize {
        self.segments.rows().saturating_add(self.told.len())
    }

    /// Lets the segmenter go on with the conversations, on trial. Gives the segments that events close which waited for
    /// that.
    pub(crate) fn adopt(
        &self,
        writer: &mut Writer,
        snapshot: &Snapshot,
        hasher: KeyHasher,
        resumes: &ResumeSearches,
        dead_letters: &mut Vec<DeadLetter>,
    ) -> Result<(RecordBatch, Adopted)> {
        let (segmenter, keys) = writer.segmenter_and_keys();
        let stored = &mut |account: &str, conversation: &str, until: i64| {
            resumes.stored_before(keys, snapshot, account, conversation, until)
        };
        let (mut out, mut followed, mut accounts) = (Segmented::new(), 0, BTreeSet::new());
        for (place, told) in self.told.iter().enumerate() {
            let (account, conversation) = (told.account.as_str(), told.conversation.as_ref());
            let has_ended = || {
                let hash = hasher.hash(account, conversation, told.segment_index());
                told.is_open() && (self.ended.contains(&place) || keys.ask(hash, 0) != Admission::New)
            };
            // One that is followed by events alone whose beginning never came may have ended long ago.
            let is_known = segmenter.followed(account, conversation).is_some_and(|state| state.is_started());
            if is_known || !has_ended() {
                segmenter.adopt::<Error>(told, stored, &mut out)?;
            }
            let is_open = segmenter.followed(account, conversation).is_some_and(|state| state.is_open());
            if told.is_open() && is_open {
                followed += 1;
                accounts.insert(Box::from(account));
            }
        }
        segmenter.forget(self.steady);
        dead_letters.append(&mut out.dead_letters);
        let adopted = Adopted { followed, gaps_given_up: out.gaps_given_up, accounts };
        Ok((out.segments.finish()?, adopted))
    }
}

impl Adopted {
    /// The outcome for the segments of the export, with what became of the conversations. Adds the accounts of those that
    /// are followed.
    pub(crate) fn beside(self, segments: Appended, accounts_of_all: &mut BTreeSet<Box<str>>) -> Appended {
        let Self { followed, gaps_given_up, mut accounts } = self;
        accounts_of_all.append(&mut accounts);
        Appended { followed, gaps_given_up, ..segments }
    }
}

/// The places of conversations that are told open, and of which a file has the segment that is told open: an export
/// may be older than what is stored.
fn ended(
    told: &[ToldConversation],
    hasher: KeyHasher,
    archived_keys: &ArchivedKeys,
    snapshot: &Snapshot,
) -> Result<BTreeSet<usize>> {
    let mut ended = BTreeSet::new();
    let accounts: BTreeSet<&str> =
        told.iter().filter(|told| told.is_open()).map(|told| told.account.as_str()).collect();
    for account in accounts.into_iter().filter_map(|account| snapshot.account(account)) {
        for file in snapshot.archived(account) {
            let may_have = |told: &ToldConversation| {
                told.is_open() && told.account == *account && hour_of(told.until) <= *file.hours().end()
            };
            let sought = told.iter().enumerate().filter(|(_, told)| may_have(told)).map(|(place, told)| Sought {
                row: place,
                conversation: &told.conversation,
                hash: hasher.hash(account.as_str(), &told.conversation, told.segment_index()),
                end_time: told.until,
            });
            let sought: Vec<_> = sought.collect();
            if sought.is_empty() {
                continue;
            }
            match archived_keys.find(file, &sought) {
                Ok(hits) => ended.extend(hits.into_iter().map(|(place, _)| place)),
                // The file is not given up here, but when all of its rows are read the next time.
                Err(error) if error.is_of_lost_file() => {
                    tracing::error!(%error, file = %file.path().display(), "a file cannot be searched for conversations");
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(ended)
}
