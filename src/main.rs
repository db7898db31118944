fn main() -> std::process::ExitCode {
    if std::env::args().nth(1).as_deref() == Some(onemap::upload::child::SUBCOMMAND) {
        return onemap::upload::child::child_main();
    }
    std::process::ExitCode::SUCCESS
}
