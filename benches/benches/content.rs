//! Content: its hash, and the chunks that large files are split into.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fastest_benches::project::noise;
use fastest_core::object::chunk::write_content;
use fastest_core::object::id::{BlobId, TreeId};
use fastest_core::object::memory::NoSink;

fn hash(c: &mut Criterion) {
    let bytes = noise(1 << 20);
    let mut group = c.benchmark_group("hash");
    for size in [64, 4 << 10, 1 << 20] {
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(format!("blob of {size} B"), |b| {
            b.iter(|| BlobId::of(black_box(&bytes[..size])))
        });
        group.bench_function(format!("tree node of {size} B"), |b| {
            b.iter(|| TreeId::of(black_box(&bytes[..size])))
        });
    }
    group.finish();
}

fn chunk(c: &mut Criterion) {
    let bytes = noise(32 << 20);
    let mut group = c.benchmark_group("hash and chunk");
    for size in [4 << 10, 1 << 20, 32 << 20] {
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(format!("{} KiB", size >> 10), |b| {
            b.iter(|| write_content(&mut black_box(&bytes[..size]), &NoSink).unwrap())
        });
    }
    group.finish();
}

criterion_group!(benches, hash, chunk);
criterion_main!(benches);
