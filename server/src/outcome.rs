//! The outcome of a command: what it prints, and its exit code.

use std::{io::Write, process::ExitCode};

use serde::{Deserialize, Serialize};

const EXIT_SUCCESS: u8 = 0;
const EXIT_REFUSED: u8 = 1;
const EXIT_USAGE: u8 = 2;

/// The output of a command and its exit code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub code: u8,
    pub output: String,
    pub error: String,
}

impl Outcome {
    #[must_use]
    pub fn success(output: String) -> Self {
        Self { code: EXIT_SUCCESS, output, error: String::new() }
    }

    /// Understood, but not executed.
    #[must_use]
    pub fn refused(reason: &str) -> Self {
        Self { code: EXIT_REFUSED, output: String::new(), error: format!("latchkey: {reason}\n") }
    }

    /// The command line is wrong.
    #[must_use]
    pub fn usage(error: String) -> Self {
        Self { code: EXIT_USAGE, output: String::new(), error }
    }

    /// Prints the output and returns the exit code.
    #[must_use]
    pub fn print(self) -> ExitCode {
        // The reader may have closed the pipe.
        let _ = std::io::stdout().write_all(self.output.as_bytes());
        let _ = std::io::stderr().write_all(self.error.as_bytes());
        ExitCode::from(self.code)
    }
}
