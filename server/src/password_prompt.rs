//! Asks for a password on a terminal, which does not show what is typed.

use std::io::{self, BufRead, Stdin, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// A terminal without echo until this is dropped.
struct HiddenInput {
    stdin: Stdin,
    before: Termios,
}

impl HiddenInput {
    fn start() -> io::Result<Self> {
        let stdin = io::stdin();
        let before = tcgetattr(&stdin)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        // The line break is shown, so that the next line of output begins on its own.
        hidden.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(&stdin, OptionalActions::Flush, &hidden)?;
        Ok(Self { stdin, before })
    }

    fn ask(&self, prompt: &str) -> io::Result<String> {
        eprint!("{prompt}");
        io::stderr().flush()?;
        let mut line = String::new();
        self.stdin.lock().read_line(&mut line)?;
        Ok(line)
    }
}

impl Drop for HiddenInput {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.stdin, OptionalActions::Flush, &self.before);
    }
}

/// Asks once.
///
/// # Errors
/// If the terminal cannot be read.
pub fn ask() -> io::Result<String> {
    HiddenInput::start()?.ask("Password: ")
}

/// Asks twice, for a new password.
///
/// # Errors
/// If the terminal cannot be read, or the two differ.
pub fn ask_twice() -> io::Result<String> {
    let terminal = HiddenInput::start()?;
    let password = terminal.ask("Password: ")?;
    if terminal.ask("The same again: ")? == password {
        Ok(password)
    } else {
        Err(io::Error::other("the two passwords differ"))
    }
}
