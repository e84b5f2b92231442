//! Limits the CPU as Lambda does, with a control group (version 1).

use std::{fs, io, path::PathBuf};

/// The directory of the control groups.
const GROUPS: &str = "/sys/fs/cgroup/cpu";
/// The period of the limit, in microseconds.
const PERIOD: u32 = 20_000;
/// The CPU time per period for 128 MB, in microseconds. 1,769 MB correspond to one CPU (AWS Lambda
/// Developer Guide, "Memory").
const QUOTA: u32 = PERIOD * 128 / 1_769;

/// A control group with the CPU share of 128 MB.
pub(crate) struct CpuLimit(PathBuf);

impl CpuLimit {
    /// Creates a control group.
    ///
    /// # Errors
    ///
    /// If the machine does not support version 1, or does not permit it.
    pub(crate) fn of_128_mb() -> io::Result<Self> {
        let path = PathBuf::from(GROUPS).join(format!("arm-bench-{}", std::process::id()));
        fs::create_dir(&path)?;
        let limit = Self(path);
        fs::write(limit.0.join("cpu.cfs_period_us"), PERIOD.to_string())?;
        fs::write(limit.0.join("cpu.cfs_quota_us"), QUOTA.to_string())?;
        Ok(limit)
    }

    /// Adds a process to the group.
    pub(crate) fn add(&self, process: u32) -> io::Result<()> {
        fs::write(self.0.join("cgroup.procs"), process.to_string())
    }
}

impl Drop for CpuLimit {
    fn drop(&mut self) {
        let _ignored = fs::remove_dir(&self.0);
    }
}
