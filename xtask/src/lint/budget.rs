//! The size of a first visit to the key list on the wire.

use crate::{Result, site};
use std::{fs, path::Path};

const MAX_DOWNLOAD_BYTES: u64 = 300_000;
const FOR_THE_PAGE_ITSELF: u64 = 20_000;

struct Part {
    name: String,
    size: u64,
}

pub fn check(directory: &Path) -> Result<()> {
    let parts = parts(directory)?;
    print!("{}", table(&parts));
    verdict(total(&parts)).map_err(Into::into)
}

fn parts(directory: &Path) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for path in site::files(directory)? {
        let name = path.to_string_lossy().into_owned();
        if is_loaded(&name) {
            let size = fs::metadata(directory.join(path))?.len();
            parts.push(Part { name, size });
        }
    }
    Ok(parts)
}

fn is_loaded(name: &str) -> bool {
    name == "favicon.svg.br" || [".js.br", ".wasm.br", ".css.br"].iter().any(|end| name.ends_with(end))
}

fn total(parts: &[Part]) -> u64 {
    parts.iter().map(|part| part.size).sum()
}

fn table(parts: &[Part]) -> String {
    let row = |name: &str, size: u64| format!("{size:>9}  {name}\n");
    let mut table: String = parts.iter().map(|part| row(&part.name, part.size)).collect();
    table.push_str(&row("set aside for the page itself", FOR_THE_PAGE_ITSELF));
    table.push_str(&row("in all", total(parts) + FOR_THE_PAGE_ITSELF));
    table.push_str(&row("allowed", MAX_DOWNLOAD_BYTES));
    table
}

fn verdict(total: u64) -> std::result::Result<(), String> {
    let all = total + FOR_THE_PAGE_ITSELF;
    if all <= MAX_DOWNLOAD_BYTES {
        return Ok(());
    }
    Err(format!(
        "a first visit loads {all} bytes, {} more than the {MAX_DOWNLOAD_BYTES} allowed",
        all - MAX_DOWNLOAD_BYTES
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressed_code_and_style_count() {
        for name in ["pkg/a.js.br", "pkg/a_bg.wasm.br", "a.css.br", "favicon.svg.br", "pkg/snippets/a/b.js.br"] {
            assert!(is_loaded(name), "{name}");
        }
        for name in ["pkg/a.js", "pkg/a.js.gz", "robots.txt.br", "logo.svg.br", "manifest.json"] {
            assert!(!is_loaded(name), "{name}");
        }
    }

    #[test]
    fn page_has_its_share() {
        assert!(verdict(280_000).is_ok());
        assert!(verdict(280_001).unwrap_err().contains("300001 bytes, 1 more"));
    }

    #[test]
    fn table_adds_up() {
        let part = |name: &str, size| Part { name: name.into(), size };
        let table = table(&[part("a.js.br", 1), part("b.css.br", 2)]);
        assert!(table.contains("        1  a.js.br\n") && table.contains("    20003  in all\n"), "{table}");
    }
}
