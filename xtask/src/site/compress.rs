use super::tree;
use crate::{Result, profile::Profile};
use flate2::{Compression, write::GzEncoder};
use std::{
    ffi::OsStr,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

const WINDOW: u32 = 22;
const BUFFER: usize = 64 * 1024;
/// Compressed in themselves, or ours and made from another file.
const LEFT_ALONE: &[&str] = &["br", "gz", "png", "jpg", "jpeg", "webp", "avif", "ico", "woff", "woff2"];

/// Gives each file that is worth it a `.br` and a `.gz` beside it.
pub fn everything(directory: &Path, profile: Profile) -> Result<()> {
    for name in tree::files(directory)? {
        let path = directory.join(&name);
        if is_worth_it(&name) && !with_suffix(&path, "br").exists() {
            let content = fs::read(&path)?;
            fs::write(with_suffix(&path, "br"), brotli(&content, profile)?)?;
            fs::write(with_suffix(&path, "gz"), gzip(&content)?)?;
        }
    }
    Ok(())
}

/// Returns true if both directories hold the same files, apart from compressed copies.
pub fn same_originals(one: &Path, other: &Path) -> Result<bool> {
    let names = originals(one)?;
    if names.is_empty() || names != originals(other)? {
        return Ok(false);
    }
    for name in names {
        if fs::read(one.join(&name))? != fs::read(other.join(&name))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn originals(directory: &Path) -> Result<Vec<PathBuf>> {
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let mut names = tree::files(directory)?;
    names.retain(|name| !has_extension(name, &["br", "gz"]));
    Ok(names)
}

/// The manifest is for the server's eyes only.
fn is_worth_it(name: &Path) -> bool {
    !has_extension(name, LEFT_ALONE) && name != Path::new("manifest.json")
}

fn has_extension(name: &Path, extensions: &[&str]) -> bool {
    let extension = name.extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| extensions.contains(&extension))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

fn brotli(content: &[u8], profile: Profile) -> Result<Vec<u8>> {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), BUFFER, profile.brotli_quality(), WINDOW);
    writer.write_all(content)?;
    writer.flush()?;
    Ok(writer.into_inner())
}

fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::best());
    writer.write_all(content)?;
    Ok(writer.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressed_files_decompress_to_the_original() {
        let content = "a key, a lock, a door; ".repeat(1000).into_bytes();
        let packed = brotli(&content, Profile::Release).unwrap();
        let mut out = Vec::new();
        brotli::BrotliDecompress(&mut packed.as_slice(), &mut out).unwrap();
        assert_eq!(out, content);
        assert!(packed.len() < 100);
    }

    #[test]
    fn pictures_fonts_and_the_manifest_are_unchanged() {
        let worth = |name: &str| is_worth_it(Path::new(name));
        assert!(worth("pkg/a.js") && worth("a.css") && worth("robots.txt") && worth("favicon.svg"));
        assert!(!worth("a.png") && !worth("a.woff2") && !worth("favicon.ico") && !worth("a.js.br"));
        assert!(!worth("manifest.json"));
    }

    #[test]
    fn suffix_comes_after_the_extension() {
        assert_eq!(with_suffix(Path::new("pkg/a.js"), "br"), Path::new("pkg/a.js.br"));
    }
}
