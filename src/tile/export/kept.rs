//! Finished exports, kept for a while and within a limit of disk.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use crate::access::policy::Scope;
use crate::error::{Error, Result};

/// How long an export can be fetched.
pub const KEPT: Duration = Duration::from_secs(24 * 3600);
/// Bytes of all exports together.
const MOST_BYTES: u64 = 20 << 30;

/// The folder of exports. Cheap to clone.
#[derive(Clone)]
pub struct Exports {
    folder: PathBuf,
    most: u64,
}

impl Exports {
    pub fn new(data: &Path) -> Self {
        Exports { folder: data.join("exports"), most: MOST_BYTES }
    }

    /// Where a job's file lies. The scope it was made under is part of the name: under another there is no such file.
    pub fn path(&self, job: Uuid, scope: &Scope) -> PathBuf {
        self.folder.join(format!("{job}.{:016x}.pmtiles", scope.fingerprint()))
    }

    pub fn prepare(&self) -> Result<()> {
        Ok(fs::create_dir_all(&self.folder)?)
    }

    /// The file of a finished job, if it is still kept.
    pub fn find(&self, job: Uuid, scope: &Scope) -> Option<PathBuf> {
        let path = self.path(job, scope);
        let made = path.metadata().ok()?.modified().ok()?;
        (age(made) < KEPT).then_some(path)
    }

    /// Removes what was kept long enough, and what killed exports left: unfinished files of jobs that are not under way.
    pub fn sweep(&self, under_way: &HashSet<Uuid>) {
        for file in self.files() {
            let left = !file.finished && !under_way.contains(&file.job);
            if left || file.finished && age(file.made) >= KEPT {
                let _ = fs::remove_file(&file.path);
            }
        }
    }

    /// Makes room for `own` bytes of a job's file: the oldest finished ones go first.
    pub fn make_room(&self, job: Uuid, own: u64) -> Result<()> {
        let mut others: Vec<Kept> = self.files().into_iter().filter(|f| f.job != job).collect();
        others.sort_by_key(|f| f.made);
        let mut all = own + others.iter().map(|f| f.bytes).sum::<u64>();
        for file in others.iter().filter(|f| f.finished) {
            if all <= self.most {
                break;
            }
            if fs::remove_file(&file.path).is_ok() {
                all -= file.bytes;
            }
        }
        match all <= self.most {
            true => Ok(()),
            false => Err(Error::too_large(
                format!("导出文件超过磁盘上限 {} MiB", self.most >> 20),
                format!("exports go over their disk limit of {} MiB", self.most >> 20),
            )
            .hint("请降低最大级别，或稍后再试", "lower the highest zoom, or try again later")),
        }
    }

    fn files(&self) -> Vec<Kept> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| {
                let (path, meta) = (entry.path(), entry.metadata().ok()?);
                let job = path.file_name()?.to_str()?.split('.').next()?.parse().ok()?;
                let finished = path.extension().is_some_and(|e| e == "pmtiles");
                Some(Kept { job, finished, bytes: meta.len(), made: meta.modified().ok()?, path })
            })
            .collect()
    }
}

struct Kept {
    path: PathBuf,
    job: Uuid,
    finished: bool,
    bytes: u64,
    made: SystemTime,
}

fn age(made: SystemTime) -> Duration {
    SystemTime::now().duration_since(made).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_abandoned_files_go_and_the_oldest_make_room() {
        let data = tempfile::tempdir().unwrap();
        let exports = Exports { most: 100, ..Exports::new(data.path()) };
        exports.prepare().unwrap();
        let scope = Scope::default();
        let file = |hours: u64, bytes: usize, part: bool| {
            let job = Uuid::now_v7();
            let path = exports.path(job, &scope);
            let path = if part { path.with_extension("part") } else { path };
            fs::write(&path, vec![0; bytes]).unwrap();
            let made = SystemTime::now() - Duration::from_secs(hours * 3600);
            fs::File::options().write(true).open(&path).unwrap().set_modified(made).unwrap();
            (job, path)
        };
        let (old, young, younger) = (file(25, 10, false), file(3, 50, false), file(2, 20, false));
        let (left, running) = (file(1, 5, true), file(1, 5, true));
        assert!(exports.find(old.0, &scope).is_none() && exports.find(young.0, &scope).is_some());
        let other = Scope { fields: Some(vec![]), ..Scope::default() };
        assert!(exports.find(young.0, &other).is_none(), "another scope has no such file");
        exports.sweep(&HashSet::from([running.0]));
        assert!(!old.1.exists() && young.1.exists() && !left.1.exists() && running.1.exists());
        exports.make_room(Uuid::now_v7(), 60).unwrap();
        assert!(!young.1.exists() && younger.1.exists());
        assert!(exports.make_room(Uuid::now_v7(), 101).is_err());
    }
}
