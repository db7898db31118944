//! Limits the reading process sets on itself before it looks at a stranger's file.

use crate::error::{Error, Result};
use nix::libc;
use nix::sys::resource::{Resource, setrlimit};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Private writable memory; code and mapped files do not count.
    pub memory_bytes: u64,
    pub cpu_seconds: u64,
    /// The largest file it may write.
    pub file_bytes: u64,
    /// Wall clock, kept by the parent.
    pub seconds: u64,
    pub archive: super::archive::ArchiveLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory_bytes: 256 << 20,
            cpu_seconds: 2 * 3600,
            file_bytes: 8 << 30,
            seconds: 3 * 3600,
            archive: super::archive::ArchiveLimits::default(),
        }
    }
}

/// Address space beyond the private memory: libraries, thread stacks, the allocator's reserves.
const ADDRESS_SLACK: u64 = 2 << 30;

fn failed(what: &'static str) -> impl Fn(nix::errno::Errno) -> Error {
    move |e| Error::internal(format!("the reader cannot set {what}: {e}"))
}

/// Locks this process in: memory, time, disk, no core dump, no network, no other program, death with the parent.
pub fn enter(limits: &Limits) -> Result<()> {
    let pairs = [
        (Resource::RLIMIT_DATA, limits.memory_bytes, "its memory limit"),
        (Resource::RLIMIT_AS, limits.memory_bytes.saturating_add(ADDRESS_SLACK), "its address space limit"),
        (Resource::RLIMIT_CPU, limits.cpu_seconds, "its CPU limit"),
        (Resource::RLIMIT_FSIZE, limits.file_bytes, "its file size limit"),
        (Resource::RLIMIT_CORE, 0, "its core dump limit"),
    ];
    for (resource, value, what) in pairs {
        // A little later than the signal that says which limit was met, the kernel's plain kill.
        let hard = if resource == Resource::RLIMIT_CPU { value.saturating_add(5) } else { value };
        setrlimit(resource, value, hard).map_err(failed(what))?;
    }
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL).map_err(failed("death with its parent"))?;
    nix::sys::prctl::set_no_new_privs().map_err(failed("no new privileges"))?;
    refuse_calls()
}

/// System calls a reader of files never needs: the network, other programs, other processes.
#[cfg(target_arch = "x86_64")]
const AUDIT_ARCH: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const AUDIT_ARCH: u32 = 0xc000_00b7;

const REFUSED: &[libc::c_long] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kill,
    libc::SYS_mount,
    libc::SYS_bpf,
    libc::SYS_keyctl,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_io_uring_setup,
];

/// A seccomp filter: the refused calls fail with EPERM, a foreign architecture's calls end the process.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn refuse_calls() -> Result<()> {
    const LOAD: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS
    const EQUAL: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    const RETURN: u16 = 0x06; // BPF_RET | BPF_K
    let op = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let mut filter = vec![
        op(LOAD, 0, 0, 4),
        op(EQUAL, 1, 0, AUDIT_ARCH),
        op(RETURN, 0, 0, libc::SECCOMP_RET_KILL_PROCESS),
        op(LOAD, 0, 0, 0),
    ];
    for call in REFUSED {
        filter.push(op(EQUAL, 0, 1, *call as u32));
        filter.push(op(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32));
    }
    filter.push(op(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW));
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: the program points to a live, correctly sized filter, which the kernel copies before the call returns.
    let done = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program) };
    // A kernel without seccomp (some containers) leaves the other limits; reading is not refused for it.
    if done != 0 && nix::errno::Errno::last() != nix::errno::Errno::EINVAL {
        return Err(failed("its system call filter")(nix::errno::Errno::last()));
    }
    Ok(())
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn refuse_calls() -> Result<()> {
    Ok(())
}
