//! Runs the example `corates`.

fn main() -> fastest_examples::Result<()> {
    fastest_examples::corates::run(&mut std::io::stdout())
}
