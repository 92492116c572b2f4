// Spends its CPU 60 : 30 : 10 in three functions, by fixed iteration counts.
use std::hint::black_box;
use std::time::{Duration, Instant};

#[inline(never)]
fn spin(rounds: u64) -> u64 {
    let mut x = black_box(1u64);
    for _ in 0..rounds {
        x = black_box(x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407));
    }
    x
}

#[inline(never)]
fn sort_rows() -> u64 {
    black_box(spin(600000)) + 1
}

#[inline(never)]
fn hash_rows() -> u64 {
    black_box(spin(300000)) + 1
}

#[inline(never)]
fn write_rows() -> u64 {
    black_box(spin(100000)) + 1
}

#[inline(never)]
fn run_query() -> u64 {
    black_box(sort_rows() ^ hash_rows() ^ write_rows())
}

fn main() {
    let seconds: f64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    while Instant::now() < end {
        black_box(run_query());
    }
}
