//! The program carries the built site, so it is built anew when that changes.

fn main() {
    println!("cargo::rerun-if-changed=../target/site");
}
