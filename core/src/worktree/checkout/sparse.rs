//! Writes files so that long runs of zeros take no space on the disk.

use std::fs::File;
use std::io::{self, Read, Write};

use crate::files::disk;

/// File systems allocate blocks of this many bytes, or more.
const BLOCK_BYTES: usize = 4096;

/// Writes to a new, empty file. Blocks of zeros are skipped, and become holes.
#[derive(Debug)]
pub(super) struct SparseWriter<'f> {
    file: &'f File,
    /// Bytes taken so far.
    at: u64,
    /// The end of the last byte that was written.
    written: u64,
}

impl<'f> SparseWriter<'f> {
    pub(super) fn new(file: &'f File) -> Self {
        Self { file, at: 0, written: 0 }
    }

    /// Sets the length of the file, if it ends with a hole.
    pub(super) fn finish(self) -> io::Result<()> {
        if self.at > self.written { disk::set_len(self.file, self.at) } else { Ok(()) }
    }

    fn write_run(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        if !bytes.is_empty() {
            disk::write_all_at(self.file, bytes, at)?;
            self.written = at + bytes.len() as u64;
        }
        Ok(())
    }
}

impl Write for SparseWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (mut run, mut at) = (0, 0);
        while at < bytes.len() {
            let in_block = (self.at + at as u64) as usize % BLOCK_BYTES;
            let end = (at + BLOCK_BYTES - in_block).min(bytes.len());
            if bytes[at..end].iter().all(|&byte| byte == 0) {
                self.write_run(&bytes[run..at], self.at + run as u64)?;
                run = end;
            }
            at = end;
        }
        self.write_run(&bytes[run..], self.at + run as u64)?;
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Copies a file's bytes into a new, empty one.
pub(super) fn copy(from: &mut File, to: &File) -> io::Result<()> {
    let mut writer = SparseWriter::new(to);
    let mut buffer = vec![0; 256 << 10];
    loop {
        match from.read(&mut buffer)? {
            0 => return writer.finish(),
            bytes => writer.write_all(&buffer[..bytes])?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Seek;
    use std::os::unix::fs::MetadataExt;

    /// Writes `pieces` one by one. Returns what the file then has, and the bytes that it takes on
    /// the disk.
    fn written(pieces: &[&[u8]]) -> (Vec<u8>, u64) {
        let mut file = tempfile::tempfile().unwrap();
        let mut writer = SparseWriter::new(&file);
        pieces.iter().for_each(|piece| writer.write_all(piece).unwrap());
        writer.finish().unwrap();
        file.rewind().unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        (bytes, file.metadata().unwrap().blocks() * 512)
    }

    #[test]
    fn every_byte_arrives_whatever_is_zero() {
        let zeros = vec![0; 3 * BLOCK_BYTES + 5];
        let pieces: [&[u8]; 6] = [b"", b"a", &zeros, b"\0\0b", &zeros[..BLOCK_BYTES], b"\0"];
        for count in 0..1 << pieces.len() {
            let chosen = (0..pieces.len()).filter(|at| count >> at & 1 == 1);
            let chosen: Vec<&[u8]> = chosen.map(|at| pieces[at]).collect();
            assert!(written(&chosen).0 == chosen.concat(), "{count:b}");
        }
    }

    #[test]
    fn zeros_take_no_room() {
        let zeros = vec![0; 1 << 20];
        let (bytes, room) = written(&[&zeros, b"data", &zeros, &zeros]);
        assert_eq!(bytes.len(), (3 << 20) + 4);
        // Two blocks, on a file system with blocks of up to 64 KiB that knows of holes.
        assert!(room <= 128 << 10, "{room} bytes");
        let mut from = tempfile::tempfile().unwrap();
        from.set_len(4 << 20).unwrap();
        let to = tempfile::tempfile().unwrap();
        copy(&mut from, &to).unwrap();
        let to = to.metadata().unwrap();
        assert!(to.len() == 4 << 20 && to.blocks() * 512 <= 128 << 10);
    }
}
