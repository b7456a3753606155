//! Runs the example `basicos`.

fn main() -> fastest_examples::Result<()> {
    fastest_examples::basicos::run(&mut std::io::stdout())
}
