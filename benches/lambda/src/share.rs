//! Lambda's share of a processor, by a control group of version 1.

use std::{fs, io, path::PathBuf};

/// Where the groups are.
const GROUPS: &str = "/sys/fs/cgroup/cpu";
/// How often the share is given anew, in microseconds.
const PERIOD: u32 = 20_000;
/// The part of a period for 128 MB: a whole processor belongs to 1,769 MB (AWS Lambda's
/// guide, "Memory"), so it is about a fourteenth.
const QUOTA: u32 = PERIOD * 128 / 1_769;

/// A group of processes that have the share of 128 MB together.
pub(crate) struct Share(PathBuf);

impl Share {
    /// Makes one.
    ///
    /// # Errors
    ///
    /// Where this machine has no such groups, or does not let us.
    pub(crate) fn of_128_mb() -> io::Result<Self> {
        let place = PathBuf::from(GROUPS).join(format!("arm-bench-{}", std::process::id()));
        fs::create_dir(&place)?;
        let share = Self(place);
        fs::write(share.0.join("cpu.cfs_period_us"), PERIOD.to_string())?;
        fs::write(share.0.join("cpu.cfs_quota_us"), QUOTA.to_string())?;
        Ok(share)
    }

    /// Puts a process into it.
    pub(crate) fn limit(&self, process: u32) -> io::Result<()> {
        fs::write(self.0.join("cgroup.procs"), process.to_string())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let _an_empty_group_harms_nobody = fs::remove_dir(&self.0);
    }
}
