//! Runs the example `compass`.

fn main() -> fastest_examples::Result<()> {
    fastest_examples::compass::run(&mut std::io::stdout())
}
