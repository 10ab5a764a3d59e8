//! Mounted file systems: `/proc/1/mounts`, and how much room each has.
//!
//! File systems that live on another machine are left out: asking one that does not answer would hold
//! up everything else.

use crate::collect::samples::Samples;
use crate::collect::text::Text;
use crate::collect::{Error, Machine};

const TYPES_WITHOUT_ROOM: &[&str] = &[
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "nsfs",
    "overlay",
    "proc",
    "procfs",
    "pstore",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "squashfs",
    "sysfs",
    "tracefs",
];
const TYPES_ELSEWHERE: &[&str] =
    &["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "ncpfs"];
const MOUNTS_IGNORED: &[&str] = &["/dev", "/proc", "/sys"];
const FOLDERS_IGNORED: &[&str] =
    &["/run/credentials/", "/var/lib/docker/", "/var/lib/containers/storage/"];

#[derive(Debug, PartialEq)]
struct Mount {
    device: String,
    point: String,
    kind: String,
    is_readonly: bool,
}

pub(super) fn read(machine: &dyn Machine, out: &mut Samples) -> Result<(), Error> {
    let text = Text::read(machine, "proc/1/mounts")
        .or_else(|_| Text::read(machine, "proc/self/mounts"))?;
    emit(machine, &parse(&text)?, out);
    Ok(())
}

/// The mounts that have room of their own on this machine, each once.
fn parse(text: &Text) -> Result<Vec<Mount>, Error> {
    let mut mounts: Vec<Mount> = Vec::new();
    for line in text.lines() {
        let (kind, options) = (line.field(2)?, line.field(3)?);
        let point = unescaped(line.field(1)?);
        if !is_watched(&point, kind) {
            continue;
        }
        let mount = Mount {
            device: unescaped(line.field(0)?),
            point,
            kind: kind.to_owned(),
            is_readonly: options.split(',').any(|option| option == "ro"),
        };
        // What is mounted over another hides it.
        mounts.retain(|other| other.point != mount.point);
        mounts.push(mount);
    }
    Ok(mounts)
}

fn is_watched(point: &str, kind: &str) -> bool {
    let under =
        |top: &str| point.strip_prefix(top).is_some_and(|it| it.is_empty() || it.starts_with('/'));
    let is_ignored = MOUNTS_IGNORED.iter().any(|top| under(top))
        || FOLDERS_IGNORED.iter().any(|folder| point.starts_with(folder));
    let is_elsewhere = TYPES_ELSEWHERE.contains(&kind) || kind.starts_with("fuse.");
    !(is_ignored || is_elsewhere || TYPES_WITHOUT_ROOM.contains(&kind))
}

/// The kernel writes blanks, tabs, line ends and backslashes as `\` and three octal digits.
fn unescaped(word: &str) -> String {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let octal = after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(byte) = octal {
            bytes.push(byte);
            rest = after.get(3..).unwrap_or_default();
        } else {
            bytes.push(b'\\');
            rest = after;
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

fn emit(machine: &dyn Machine, mounts: &[Mount], out: &mut Samples) {
    let spaces: Vec<_> = mounts.iter().map(|mount| machine.space(&mount.point).ok()).collect();
    let mut family = |name: &str, help: &str, value: &dyn Fn(usize, &Mount) -> Option<f64>| {
        out.gauge(name, help);
        for (index, mount) in mounts.iter().enumerate() {
            if let Some(value) = value(index, mount) {
                let (device, point) = (mount.device.as_str(), mount.point.as_str());
                let labels = [("device", device), ("fstype", &mount.kind), ("mountpoint", point)];
                out.row(&labels, value);
            }
        }
    };
    let space = |index: usize| spaces.get(index).copied().flatten();
    let help = "Filesystem size in bytes.";
    family("node_filesystem_size_bytes", help, &|i, _| space(i).map(|it| bytes(it.total)));
    let help = "Filesystem space available to non-root users in bytes.";
    family("node_filesystem_avail_bytes", help, &|i, _| space(i).map(|it| bytes(it.free)));
    let help = "Filesystem read-only status.";
    family("node_filesystem_readonly", help, &|_, it| Some(f64::from(u8::from(it.is_readonly))));
    let help = "Whether an error occurred while getting statistics for the given device.";
    let is_lost = |i: usize| f64::from(u8::from(space(i).is_none()));
    family("node_filesystem_device_error", help, &|i, _| Some(is_lost(i)));
}

/// A size as a sample: exact below 8 PiB.
#[expect(clippy::cast_precision_loss, reason = "samples are floats; sizes stay below 2^53")]
fn bytes(size: u64) -> f64 {
    size as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::machine::fake::FakeMachine;
    use crate::collect::samples::shown::check;
    use crate::os::Space;

    const MOUNTS: &str = "\
proc /proc proc rw,relatime 0 0
/dev/vda / ext4 rw,relatime,discard 0 0
tmpfs /run tmpfs ro,nosuid 0 0
tmpfs /dev/shm tmpfs rw 0 0
/dev/sdb1 /mnt/my\\040disk xfs rw 0 0
server:/home /home nfs4 rw 0 0
tmpfs /sys/fs/cgroup tmpfs rw 0 0
/dev/sdc1 /mnt/my\\040disk xfs ro 0 0
";

    #[test]
    fn mounts_with_room_of_their_own_are_seen_once() {
        let machine = FakeMachine::default()
            .with("proc/1/mounts", MOUNTS)
            .mount("/", Space { total: 1000, free: 100 })
            .mount("/mnt/my disk", Space { total: 2000, free: 200 });
        let mut out = Samples::default();
        read(&machine, &mut out).unwrap();
        let expected = [
            r#"node_filesystem_size_bytes{device="/dev/vda",fstype="ext4",mountpoint="/"} 1000"#,
            r#"node_filesystem_avail_bytes{device="/dev/sdc1",fstype="xfs",mountpoint="/mnt/my disk"} 200"#,
            r#"node_filesystem_readonly{device="tmpfs",fstype="tmpfs",mountpoint="/run"} 1"#,
            r#"node_filesystem_device_error{device="tmpfs",fstype="tmpfs",mountpoint="/run"} 1"#,
            r#"node_filesystem_device_error{device="/dev/vda",fstype="ext4",mountpoint="/"} 0"#,
        ];
        check(&out, 2 + 2 + 3 + 3, &expected);
    }

    #[test]
    fn escapes_are_undone_and_others_kept() {
        assert_eq!(unescaped(r"a\040b\134c\x"), r"a b\c\x");
    }
}
