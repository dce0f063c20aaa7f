//! Where a process may be killed: in tests, before the n-th write to disk.

use std::io;

/// Passed before each write of the list holder and of the log. Only tests ever fail here.
#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "in tests it fails")]
pub(crate) fn point() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
thread_local! {
    static LEFT: std::cell::Cell<Option<usize>> = const { std::cell::Cell::new(None) };
}

#[cfg(test)]
pub(crate) fn point() -> io::Result<()> {
    LEFT.with(|left| match left.get() {
        None => Ok(()),
        Some(0) => Err(io::Error::other("the process was killed")),
        Some(n) => {
            left.set(Some(n - 1));
            Ok(())
        }
    })
}

/// Lets so many writes of this thread go well, and none after them; `None`: all.
#[cfg(test)]
pub(crate) fn after(writes: Option<usize>) {
    LEFT.with(|left| left.set(writes));
}
