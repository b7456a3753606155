//! Whether a file is on a file system that several machines share, by `statfs`. Only on Linux:
//! elsewhere every file counts as local.

use std::io;
use std::path::Path;

/// The numbers by which Linux identifies file systems (`linux/magic.h` and the manual page of
/// `statfs`), with their names.
#[cfg(any(target_os = "linux", test))]
const SHARED: [(u32, &str); 15] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xfe53_4d42, "SMB"),
    (0xff53_4d42, "SMB"),
    (0x0102_1997, "9p"),
    (0x6573_5546, "FUSE"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x0bd0_0bd0, "Lustre"),
    (0x0116_1970, "GFS2"),
    (0x7461_636f, "OCFS2"),
    (0x4750_4653, "GPFS"),
    (0x786f_4256, "VirtualBox's shared folders"),
];

/// Returns the name of the file system of `path` if other machines may use it too.
pub fn shared_by(path: &Path) -> io::Result<Option<&'static str>> {
    #[cfg(target_os = "linux")]
    {
        // The kernel's numbers have 32 bits. On some machines the field is signed.
        Ok(kind(rustix::fs::statfs(path)?.f_type as u32))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = path;
        Ok(None)
    }
}

#[cfg(any(target_os = "linux", test))]
fn kind(magic: u32) -> Option<&'static str> {
    SHARED.iter().find(|(known, _)| *known == magic).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_are_told_apart() {
        for (magic, expected) in [
            (0x6969, Some("NFS")),
            (0xff53_4d42, Some("SMB")),
            (0x6573_5546, Some("FUSE")),
            (0x0102_1997, Some("9p")),
            // ext4, btrfs, xfs, tmpfs, overlayfs, ZFS.
            (0xef53, None),
            (0x9123_683e, None),
            (0x5846_5342, None),
            (0x0102_1994, None),
            (0x794c_7630, None),
            (0x2fc1_2fc1, None),
        ] {
            assert_eq!(kind(magic), expected, "{magic:x}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_file_system() {
        assert!(shared_by(Path::new("/nowhere/at/all")).is_err() || cfg!(not(target_os = "linux")));
    }
}
