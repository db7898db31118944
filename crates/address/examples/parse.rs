//! Parses the lines of the standard input: `cargo run -p onemap-address --release --example parse < lines`. With `fields` as its
//! argument it prints what an index would take, with `speed` only how fast it was.

use std::io::{BufRead, Write};
use std::time::Instant;

use onemap_address::element::Element;
use onemap_address::parse::Parser;

fn main() -> std::io::Result<()> {
    let mode = std::env::args().nth(1).unwrap_or_default();
    let lines: Vec<String> = std::io::stdin().lock().lines().collect::<Result<_, _>>()?;
    let mut parser = Parser::new();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let begun = Instant::now();
    for line in &lines {
        match mode.as_str() {
            "speed" => {
                std::hint::black_box(parser.fields(line));
            }
            "fields" => {
                let fields = parser.fields(line);
                for element in Element::ALL.into_iter().filter(|&e| !fields[e as usize].is_empty()) {
                    write!(out, "{}={} ", element.name(), fields[element as usize])?;
                }
                writeln!(out)?;
            }
            _ => {
                let parsed = parser.parse(line);
                for part in &parsed.parts {
                    write!(out, "{}/{} ", part.text, part.element.name())?;
                }
                writeln!(out, "| {} | {}", parsed.standard, parsed.remainder)?;
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    eprintln!("{} lines in {seconds:.2} s: {:.0} a second", lines.len(), lines.len() as f64 / seconds);
    Ok(())
}
