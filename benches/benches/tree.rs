//! Encodes, decodes, searches and compares small and wide directories.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fastest_benches::project::{entries, file};
use fastest_core::compare::diff::diff_directory;
use fastest_core::object::memory::{MemoryObjects, NoSink};
use fastest_core::object::source::ObjectSource;
use fastest_core::object::tree::node::Node;
use fastest_core::object::tree::read::{find, read_directory};
use fastest_core::object::tree::write::write_directory;

const WIDTHS: [u64; 2] = [16, 200_000];

fn directory(c: &mut Criterion) {
    let objects = MemoryObjects::default();
    let mut group = c.benchmark_group("directory");
    for width in WIDTHS {
        let entries = entries(0..width, |_| 0);
        let root = write_directory(&entries, &objects).unwrap();
        let middle = entries[entries.len() / 2].0.as_bytes();
        group.throughput(Throughput::Elements(width));
        group.bench_function(format!("write {width} entries"), |b| {
            b.iter(|| write_directory(black_box(&entries), &NoSink).unwrap())
        });
        group.bench_function(format!("read {width} entries"), |b| {
            b.iter(|| read_directory(&root.id, &objects).unwrap())
        });
        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("find one of {width} entries"), |b| {
            b.iter(|| find(&root.id, &[black_box(middle)], &objects).unwrap())
        });
    }
    group.finish();
}

/// Decodes one node, without building the list of entries that `read_directory` returns.
fn node(c: &mut Criterion) {
    let objects = MemoryObjects::default();
    let root = write_directory(&entries(0..128, |_| 0), &objects).unwrap();
    let encoded = objects.object(&root.id.into()).unwrap();
    let mut group = c.benchmark_group("node");
    group.throughput(Throughput::Elements(128));
    group.bench_function("decode 128 entries", |b| {
        b.iter(|| match Node::parse(black_box(&encoded)).unwrap() {
            Node::Leaf(entries) => entries.map(|entry| entry.unwrap().bytes).sum::<u64>(),
            Node::Interior(_) => unreachable!("128 entries are one leaf"),
        })
    });
    group.finish();
}

fn diff(c: &mut Criterion) {
    let objects = MemoryObjects::default();
    let mut group = c.benchmark_group("diff");
    for width in WIDTHS {
        let mut directory = entries(0..width, |_| 0);
        let old = write_directory(&directory, &objects).unwrap().id;
        directory[7].1 = file(7, 1).1;
        let one = write_directory(&directory, &objects).unwrap().id;
        let all = write_directory(&entries(0..width, |_| 1), &objects).unwrap().id;
        for (what, new, count) in [("1", one, 1), ("all", all, width)] {
            let differences = || {
                let nodes = diff_directory(Some(&old), Some(&new), &objects).unwrap();
                nodes.differences().unwrap().count() as u64
            };
            assert_eq!(differences(), count);
            group.bench_function(format!("{what} of {width} entries"), |b| b.iter(differences));
        }
    }
    group.finish();
}

criterion_group!(benches, directory, node, diff);
criterion_main!(benches);
