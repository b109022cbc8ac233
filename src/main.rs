//! The `anlan` program; everything lives in the library.

fn main() -> std::process::ExitCode {
    anlan::app::run()
}
