//! Only tells cargo what the binary embeds: without it, a page, style or migration that was added after the last build would
//! not get in. The page itself is made by `scripts/setup`, never from here.

fn main() {
    println!("cargo:rerun-if-changed=web/dist");
    println!("cargo:rerun-if-changed=styles");
    println!("cargo:rerun-if-changed=examples");
    println!("cargo:rerun-if-changed=migrations");
}
