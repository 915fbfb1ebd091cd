#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Fully optimized.
    Release,
    /// Quick to build, for `cargo xtask run`.
    Quick,
    Dev,
}

impl Profile {
    pub fn native_directory(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Quick => "quick",
            Self::Dev => "debug",
        }
    }

    pub fn browser_profile(self) -> &'static str {
        match self {
            Self::Release => "wasm-release",
            Self::Quick => "quick",
            Self::Dev => "dev",
        }
    }

    pub fn browser_directory(self) -> &'static str {
        match self {
            Self::Release => "wasm-release",
            Self::Quick => "quick",
            Self::Dev => "debug",
        }
    }

    pub fn brotli_quality(self) -> u32 {
        match self {
            Self::Release => 11,
            Self::Quick | Self::Dev => 4,
        }
    }
}
