//! How much of the disk indexes may take: what was not used for longest makes room.

use std::sync::atomic::Ordering;

use super::build::Failure;
use super::store::{Indexes, Wanted, now, wait};
use crate::error::Said;

/// An index of a published revision that was used within this time is not thrown away for another: two that do not fit together
/// would take turns for ever.
const IN_USE: u64 = 600;
/// A build needs room for its scratch files beside the result; and a disk should never be filled to the brim.
const SCRATCH: u64 = 2;
const SPARE: u64 = 256 << 20;

impl Indexes {
    /// Makes sure that an index of about `bytes` has room in the budget and on the disk.
    pub(super) fn make_room(&self, want: &Wanted, bytes: u64) -> Result<(), Failure> {
        let mut over = self.used_without(want.revision).saturating_add(bytes).saturating_sub(self.budget());
        if over > 0 && bytes <= self.budget() {
            for (revision, freed) in self.may_go(want) {
                if over == 0 {
                    break;
                }
                self.evict(revision);
                over = over.saturating_sub(freed);
            }
        }
        if over > 0 {
            let _ = std::fs::remove_file(self.folder().join(want.file()));
            return Err(Failure::OverBudget);
        }
        match free(self.folder()) {
            Some(free) if free < SPARE => Err(Failure::DiskFull),
            _ => Ok(()),
        }
    }

    /// Before a build: its scratch files need the disk too.
    pub(super) fn make_room_to_build(&self, want: &Wanted, bytes: u64) -> Result<(), Failure> {
        self.make_room(want, bytes)?;
        match free(self.folder()) {
            Some(free) if free < bytes.saturating_mul(SCRATCH).saturating_add(SPARE) => Err(Failure::DiskFull),
            _ => Ok(()),
        }
    }

    fn used_without(&self, revision: i64) -> u64 {
        let slots = self.slots();
        let others = slots.iter().filter(|(r, _)| **r != revision);
        others.filter_map(|(_, s)| s.opened.as_ref()).map(|o| o.bytes()).sum()
    }

    /// What may be thrown away for the wanted one, with its bytes: earlier revisions first, then what was not used for long and not
    /// since the wanted one was last asked for.
    fn may_go(&self, want: &Wanted) -> Vec<(i64, u64)> {
        let slots = self.slots();
        let asked = slots.get(&want.revision).map_or(0, |s| s.asked.load(Ordering::Relaxed));
        let limit = asked.min(now().saturating_sub(IN_USE));
        let mut found: Vec<(bool, u64, i64, u64)> = slots
            .iter()
            .filter(|(revision, slot)| **revision != want.revision && slot.building.is_none())
            .filter_map(|(revision, slot)| {
                let opened = slot.opened.as_ref()?;
                let used = opened.used.load(Ordering::Relaxed);
                let published = slot.want.is_some();
                (!published || used < limit).then(|| (published, used, *revision, opened.bytes()))
            })
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(.., revision, bytes)| (revision, bytes)).collect()
    }

    fn evict(&self, revision: i64) {
        let mut slots = self.slots_mut();
        let Some(slot) = slots.get_mut(&revision) else { return };
        let Some(opened) = slot.opened.take() else { return };
        tracing::info!(revision, bytes = opened.bytes(), "a tile index makes room for another; PostGIS serves");
        let _ = std::fs::remove_file(&opened.path);
        slot.proved = None;
        slot.trouble = Some(Said::new("超出 tile_index_disk 配额", "tile_index_disk is used up"));
        slot.not_before = wait(4);
    }

    /// After a start with a smaller budget: what was not used for longest goes until the rest fits.
    pub(super) fn shrink(&self) {
        let mut files: Vec<(u64, i64, u64)> = {
            let slots = self.slots();
            let opened = slots.iter().filter_map(|(r, s)| Some((*r, s.opened.clone()?)));
            opened.map(|(r, o)| (o.used.load(Ordering::Relaxed), r, o.bytes())).collect()
        };
        files.sort_unstable();
        let mut used: u64 = files.iter().map(|f| f.2).sum();
        for (_, revision, bytes) in files {
            if used <= self.budget() {
                break;
            }
            self.evict(revision);
            used -= bytes;
        }
    }
}

/// Bytes that are free on the folder's disk.
fn free(folder: &std::path::Path) -> Option<u64> {
    nix::sys::statvfs::statvfs(folder).ok().map(|s| s.blocks_available() * s.fragment_size())
}
