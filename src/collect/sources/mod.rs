//! The sources: each reads some files and adds rows. What a text means is a function without files.

mod cgroup;
mod cpu;
mod disk;
mod filesystem;
mod memory;
mod netstat;
mod network;
mod own;
mod process;
mod sensor;
mod state;
mod system;
mod top;

pub(super) use cpu::Cpus;
pub(super) use own::{own_process, page_bytes};
pub(super) use process::Groups;
pub(super) use state::{SOURCES, State};
