//! `make bench-address`: what address matching is worth, on every set of addresses that is there.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Parser;
use onemap_address_quality::base::Base;
use onemap_address_quality::evaluate::{self, Outcome, Run};
use onemap_address_quality::fit::{self, Sample};
use onemap_address_quality::noise::{self, Query, Set};
use onemap_address_quality::row::Columns;
use onemap_address_quality::world::World;
use onemap_address_quality::{city, labelled, raw, report};

/// Measures address matching on spoilt addresses whose truth is known.
#[derive(Parser)]
struct Args {
    /// The folder with sets of addresses; those that are missing are left out.
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
    /// Only bases whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Texts of each kind and base.
    #[arg(long, default_value_t = 200)]
    each: usize,
    /// Only kinds whose name contains this.
    #[arg(long, default_value = "")]
    kind: String,
    /// Print the figures of each kind, with so many of its failures.
    #[arg(long)]
    failures: Option<usize>,
    /// Give the index nothing but the full text of each row.
    #[arg(long)]
    full: bool,
    /// Texts for the run against all door plates; 0 leaves it out.
    #[arg(long, default_value_t = 0)]
    raw: usize,
    /// Write each answer with the parts of its score to this file.
    #[arg(long)]
    dump: Option<PathBuf>,
    /// Fit the odds to these answers and write their table to this file.
    #[arg(long)]
    fit: Option<PathBuf>,
}

/// Rows of the generated city.
const CITY: usize = 60_000;
/// Rows taken from the beginning of each file of door plates.
const PLATES: usize = 200_000;

/// How to come by a base, and the name that labelled queries give it.
struct Known {
    name: &'static str,
    read: fn(&Path, &str, u64) -> std::io::Result<Base>,
    file: &'static str,
    labels: Option<&'static str>,
}

fn all_rows(path: &Path, name: &str, _: u64) -> std::io::Result<Base> {
    Base::read(name, &[path], &|_| true)
}

fn first_rows(path: &Path, name: &str, _: u64) -> std::io::Result<Base> {
    Base::read(name, &[path], &|at| at < PLATES)
}

const SETS: [Known; 9] = [
    Known { name: "generated-city", read: |_, _, seed| Ok(city::mainland(seed, CITY)), file: "", labels: None },
    Known { name: "generated-island", read: |_, _, seed| Ok(city::island(seed, CITY)), file: "", labels: None },
    Known { name: "generated-shops", read: |_, _, seed| Ok(city::shops(seed, CITY)), file: "", labels: None },
    Known {
        name: "qingdao-sim",
        read: all_rows,
        file: "address-dev/base-qingdao-sim.csv.gz",
        labels: Some("base-qingdao-sim"),
    },
    Known {
        name: "shanghai-poi",
        read: all_rows,
        file: "address-dev/base-shanghai-poi.csv.gz",
        labels: Some("base-shanghai-poi"),
    },
    Known {
        name: "taipei-2districts",
        read: all_rows,
        file: "address-dev/base-taipei-2districts.csv.gz",
        labels: Some("base-taipei-2districts"),
    },
    Known { name: "shanghai-poi-names", read: all_rows, file: "poi-shanghai/poi_shanghai_70.csv.gz", labels: None },
    Known { name: "taichung-part", read: first_rows, file: "doorplates-load/66.csv.zst", labels: None },
    Known { name: "kaohsiung-part", read: first_rows, file: "doorplates-load/64.csv.zst", labels: None },
];

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let mut answers = Vec::new();
    let mut dump = args.dump.as_ref().map(|path| File::create(path).map(BufWriter::new)).transpose()?;
    for set in SETS.iter().filter(|s| s.name.contains(&args.only)) {
        let path = args.data.join(set.file);
        if !set.file.is_empty() && !path.exists() {
            println!("## {}: not there, left out\n", set.name);
            continue;
        }
        let base = (set.read)(&path, set.name, args.seed)?;
        answers.push((set.name.to_owned(), measure(&args, &base, set, &mut dump)?));
    }
    if let Some(path) = &args.fit {
        fit_odds(path, &answers)?;
    }
    if args.raw > 0 {
        against_all_plates(&args)?;
    }
    Ok(())
}

fn measure(
    args: &Args,
    base: &Base,
    set: &Known,
    dump: &mut Option<BufWriter<File>>,
) -> Result<Vec<Outcome>, Box<dyn Error>> {
    let columns = if args.full { Columns::Full } else { Columns::Fields };
    let index = evaluate::build(base, columns)?;
    println!("{}", report::heading(set.name, base.rows.len(), &index));
    let world = World::of(base);
    let generated = noise::sample(&world, args.seed, args.each);
    let labels = args.data.join("address-dev/queries.csv");
    let labelled = match set.labels {
        Some(about) => labelled::read(&labels, about, base)?,
        None => Vec::new(),
    };
    let mut answers = Vec::new();
    for (title, mut queries) in [("spoilt by this program", generated), ("labelled by others", labelled)] {
        queries.retain(|q| q.kind.contains(&args.kind));
        if queries.is_empty() {
            continue;
        }
        let (run, speeds) = run_by_set(base, &index.segment, &queries);
        println!("{title}\n{}", report::sets(&queries, &run, &speeds));
        let all: Vec<(&Query, &Outcome)> = queries.iter().zip(&run.outcomes).collect();
        println!("{}", report::bins(&evaluate::reliability(&all)));
        if let Some(failures) = args.failures {
            println!("{}", report::kinds(&queries, &run, &|q| told(base, q), failures));
        }
        if let Some(file) = dump {
            for (query, outcome) in &all {
                write_parts(file, set.name, query, outcome)?;
            }
        }
        answers.extend(run.outcomes);
    }
    Ok(answers)
}

/// Fits the odds to the generated bases alone: what ships is not made from anybody's data. The real ones tell what the fit is worth.
fn fit_odds(path: &Path, answers: &[(String, Vec<Outcome>)]) -> Result<(), Box<dyn Error>> {
    let samples = |generated: bool| -> Vec<Sample> {
        let bases = answers.iter().filter(|(name, _)| name.starts_with("generated") == generated);
        bases.flat_map(|(_, outcomes)| outcomes.iter().filter_map(Sample::of)).collect()
    };
    let (known, unseen) = (samples(true), samples(false));
    let fitted = fit::fit(&known);
    for (title, samples) in [("fitted to", &known), ("not seen before", &unseen)] {
        println!(
            "odds on {} answers {title}\n{}",
            samples.len(),
            report::bins(&fit::bins(samples, |s| fitted.odds(s)))
        );
    }
    std::fs::write(path, fitted.table())?;
    Ok(())
}

/// The sets one after the other, so that each has its own speed; the outcomes in the order of the queries, which are sorted by set.
fn run_by_set(base: &Base, segment: &onemap_address::segment::Segment, queries: &[Query]) -> (Run, BTreeMap<Set, f64>) {
    let mut outcomes: Vec<Option<Outcome>> = vec![None; queries.len()];
    let mut speeds = BTreeMap::new();
    let mut taken = std::time::Duration::ZERO;
    for set in [Set::Ordinary, Set::Hard, Set::Unanswerable] {
        let places: Vec<usize> = (0..queries.len()).filter(|&at| queries[at].set == set).collect();
        let of_set: Vec<Query> = places.iter().map(|&at| queries[at].clone()).collect();
        let run = evaluate::run(base, segment, &of_set);
        speeds.insert(set, run.per_second());
        taken += run.taken;
        for (at, outcome) in places.into_iter().zip(run.outcomes) {
            outcomes[at] = Some(outcome);
        }
    }
    (Run { outcomes: outcomes.into_iter().flatten().collect(), taken }, speeds)
}

fn told(base: &Base, query: &Query) -> String {
    match query.truth.first() {
        Some(&at) => base.rows[at as usize].full().to_owned(),
        None => format!("{:?}", query.expect),
    }
}

fn write_parts(file: &mut impl Write, base: &str, query: &Query, outcome: &Outcome) -> std::io::Result<()> {
    let score = outcome.score.map_or(String::from("-"), |s| s.to_string());
    write!(
        file,
        "{base}\t{}\t{}\t{:?}\t{}\t{score}\t{:?}",
        query.set.name(),
        query.kind,
        query.expect,
        u8::from(outcome.right),
        outcome.level
    )?;
    for (name, value) in &outcome.parts {
        write!(file, "\t{name}={value}")?;
    }
    writeln!(file, "\t#{}", query.text.escape_debug())
}

fn against_all_plates(args: &Args) -> Result<(), Box<dyn Error>> {
    let files = [
        "doorplates-taipei/taipei_doorplates_70.csv.zst",
        "doorplates-load/64.csv.zst",
        "doorplates-load/65.csv.zst",
        "doorplates-load/66.csv.zst",
    ];
    let paths: Vec<PathBuf> = files.iter().map(|f| args.data.join(f)).filter(|p| p.exists()).collect();
    let base = raw::read("all door plates", &paths.iter().map(PathBuf::as_path).collect::<Vec<_>>())?;
    if base.rows.is_empty() {
        println!("## door plates: not there, left out");
        return Ok(());
    }
    let index = evaluate::build(&base, Columns::Full)?;
    println!("{}", report::heading(&base.name, base.rows.len(), &index));
    for copied in [false, true] {
        let queries = raw::sample(&base, args.seed, args.raw, copied);
        let run = evaluate::run(&base, &index.segment, &queries);
        let speeds = BTreeMap::from([(Set::Ordinary, run.per_second())]);
        println!(
            "{}\n{}",
            if copied { "as people copy them" } else { "as printed" },
            report::sets(&queries, &run, &speeds)
        );
        if let Some(failures) = args.failures {
            println!("{}", report::kinds(&queries, &run, &|q| told(&base, q), failures));
        }
    }
    Ok(())
}
