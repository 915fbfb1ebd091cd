//! The program embeds the built site, so a new site rebuilds it.

fn main() {
    println!("cargo::rerun-if-changed=../target/site");
}
