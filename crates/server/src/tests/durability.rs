//! What the doors say when the disk fails, and the copy that they give away.

use std::any::Any;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, LazyLock};

use skillscope_store::{Disk, DiskFile, InPlaceFile, LocalDisk, Store, check, unpack_backup};
use tempfile::TempDir;

use super::door::{Door, SEGMENTS, line, report_of};

const WELL: u8 = 0;
const FULL: u8 = 1;
const BROKEN: u8 = 2;
const UNREADABLE: u8 = 3;

/// The machine's disk, to which nothing can be written at times.
#[derive(Debug)]
struct AilingDisk(Arc<AtomicU8>);

impl AilingDisk {
    fn ailment(&self) -> io::Result<()> {
        ailment(&self.0)
    }
}

fn ailment(state: &AtomicU8) -> io::Result<()> {
    match state.load(Ordering::Relaxed) {
        WELL | UNREADABLE => Ok(()),
        FULL => Err(io::ErrorKind::StorageFull.into()),
        _ => Err(io::Error::other("the disk does not answer")),
    }
}

impl Disk for AilingDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        LocalDisk.create_folder(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
        LocalDisk.list(path)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.ailment()?;
        LocalDisk.write(path, bytes)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        self.ailment()?;
        LocalDisk.sync(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.ailment()?;
        LocalDisk.sync_folder(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ailment()?;
        LocalDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        LocalDisk.remove(path)
    }

    fn remove_empty_folder(&self, path: &Path) -> io::Result<()> {
        LocalDisk.remove_empty_folder(path)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        if self.0.load(Ordering::Relaxed) == UNREADABLE && path.extension().is_some_and(|e| e == "parquet") {
            return Err(io::Error::other("the disk does not answer"));
        }
        LocalDisk.open(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Any + Send + Sync>>> {
        LocalDisk.lock(path)
    }

    fn open_in_place(&self, path: &Path) -> io::Result<Box<dyn InPlaceFile>> {
        Ok(Box::new(AilingFile { file: LocalDisk.open_in_place(path)?, state: Arc::clone(&self.0) }))
    }
}

#[derive(Debug)]
struct AilingFile {
    file: Box<dyn InPlaceFile>,
    state: Arc<AtomicU8>,
}

impl DiskFile for AilingFile {
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<bytes::Bytes> {
        self.file.read_at(offset, length)
    }
}

impl InPlaceFile for AilingFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        ailment(&self.state)?;
        self.file.write_at(offset, bytes)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        ailment(&self.state)?;
        self.file.set_length(length)
    }

    fn sync(&self) -> io::Result<()> {
        ailment(&self.state)?;
        self.file.sync()
    }
}

async fn total(door: &Door) -> i64 {
    let report = door.get(&report_of("acme")).await.json();
    report["metricsTotal"]["totalSkillConversationSegments"].as_i64().unwrap()
}

#[tokio::test]
async fn a_disk_that_is_full_or_broken_fails_the_request_alone_until_it_is_well_again() {
    for (state, status, word) in [(FULL, 507, "no room"), (BROKEN, 503, "could not be written")] {
        let health = Arc::new(AtomicU8::new(WELL));
        let door = Door::on(Arc::new(AilingDisk(Arc::clone(&health))));
        let ndjson = "application/x-ndjson";
        assert_eq!(door.post(SEGMENTS, ndjson, line("c-1", 7, 1)).await.status, 200);
        health.store(state, Ordering::Relaxed);
        for _ in 0..3 {
            let problem = door.post(SEGMENTS, ndjson, line("c-2", 7, 1)).await.problem(status);
            assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
            assert_eq!(total(&door).await, 1, "reading goes on, and nothing of a failed request counts");
            door.get("/readyz").await.problem(503);
            assert!(door.app.store().watch().is_err());
        }
        health.store(WELL, Ordering::Relaxed);
        let answer = door.post(SEGMENTS, ndjson, line("c-1", 7, 1) + &line("c-2", 7, 1)).await.json();
        assert_eq!((&answer["accepted"], &answer["duplicates"]), (&1.into(), &1.into()));
        assert_eq!(total(&door).await, 2);
        door.app.store().watch().unwrap();
        assert_eq!(door.get("/readyz").await.status, 200);
    }
}

#[tokio::test]
async fn a_disk_that_refuses_writes_is_noticed_before_anybody_writes() {
    for state in [FULL, BROKEN] {
        let health = Arc::new(AtomicU8::new(WELL));
        let door = Door::on(Arc::new(AilingDisk(Arc::clone(&health))));
        door.app.store().watch().unwrap();
        assert_eq!(door.get("/readyz").await.status, 200);
        health.store(state, Ordering::Relaxed);
        assert!(door.app.store().watch().is_err());
        let problem = door.get("/readyz").await.problem(503);
        assert!(problem["detail"].as_str().unwrap().contains("refuses writes"), "{problem}");
        assert_eq!(door.get("/healthz").await.status, 200);
    }
}

#[tokio::test]
async fn an_answer_that_needs_a_file_which_cannot_be_read_fails_and_is_not_smaller() {
    let health = Arc::new(AtomicU8::new(WELL));
    let door = Door::on(Arc::new(AilingDisk(Arc::clone(&health))));
    door.post(SEGMENTS, "application/x-ndjson", line("c-1", 7, 1)).await;
    // The segment is of a day long past: it is in a file alone then.
    door.app.store().seal_finished_hours().unwrap();
    health.store(UNREADABLE, Ordering::Relaxed);
    let count = "select count(*) as n from segments";
    door.get(&report_of("acme")).await.problem(503);
    door.sql(count).await.problem(503);
    assert_eq!(door.get(&report_of("another")).await.status, 200);
    health.store(WELL, Ordering::Relaxed);
    assert_eq!(total(&door).await, 1);
    assert_eq!(door.sql(count).await.json()[0]["n"], 1);
}

#[tokio::test]
async fn a_backup_is_a_tar_archive_of_a_data_directory() {
    static NDJSON: LazyLock<String> = LazyLock::new(|| line("c-1", 7, 1) + &line("c-2", 8, 90_000_000));
    let door = Door::new();
    door.post(SEGMENTS, "application/x-ndjson", NDJSON.as_str()).await;
    let answer = door.post("/v1/backup", "text/plain", "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/x-tar"));
    let copy = TempDir::new().unwrap();
    unpack_backup(answer.body.as_slice(), copy.path()).unwrap();
    let checked = check(copy.path()).unwrap();
    assert_eq!((checked.journal_rows, checked.problems.len()), (2, 0));
    assert!(Store::open(copy.path()).is_ok());
}
