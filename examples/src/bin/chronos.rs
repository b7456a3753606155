//! Runs the example `chronos`.

fn main() -> fastest_examples::Result<()> {
    fastest_examples::chronos::run(&mut std::io::stdout())
}
