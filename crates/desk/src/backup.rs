//! Backups: everything a node is, as it was at one moment, taken while it goes on working.
//!
//! A folder of backups holds one folder for each, named by its moment, with the rows, the raw submissions, the spool, the
//! settings and a [`manifest`]. Raw files never change, so a later backup shares those of the one before (hard links).
//!
//! The keys go to a folder of their own, which holds only the newest: they only grow, apart from what was erased, so
//! the newest open every older backup, and what is erased here is erased in all backups from the next one on.
//!
//! The order is: rows, keys, raw files. A key is kept before its row and a file has its name before its row, so whatever has
//! a row in the copy has its key and its file there too.

pub mod manifest;

use std::collections::HashMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use model::submission::PublicId;
use model::time::Time;
use store::backup::{Kept, Sum, copy_file, copy_keys, sum};
use store::keys::Keys;
use store::{Engine, Reader};

use crate::Error;
use manifest::{Entry, Manifest};

/// The manifest's file.
const MANIFEST: &str = "manifest";
/// The folder that a backup is made in; what an earlier try left there is gone on with.
const UNFINISHED: &str = "unfinished";
/// The file of the keys.
const KEYS: &str = "keys.db";
/// Where a data directory notes into which folders backups of it were made.
pub(crate) const PLACES: &str = "backups";
/// Submissions that are asked for together.
const PAGE: u32 = 10_000;

/// What is to be copied, and where to.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// The data directory.
    pub data: &'a Path,
    /// Where its rows are.
    pub engine: &'a Engine,
    /// The folder of backups.
    pub to: &'a Path,
    /// The folder of the keys; `None` leaves them out.
    pub keys: Option<&'a Path>,
    /// The keys may lie in the folder of backups, as somebody has said who knows what that means.
    pub beside: bool,
    /// Files of settings.
    pub settings: &'a [PathBuf],
    /// How many backups stay; the oldest beyond go. `None` keeps all.
    pub most: Option<u32>,
    /// Now.
    pub now: Time,
}

/// A backup that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its folder.
    pub folder: PathBuf,
    /// What is in it.
    pub manifest: Manifest,
    /// Files that were not copied, since an earlier backup or try had them.
    pub shared: u64,
    /// Raw files that had a row and were gone: erased meanwhile, or lost.
    pub missing: u64,
    /// Backups that went, for there are enough newer ones.
    pub removed: u32,
}

/// Takes a backup; others may work on the data meanwhile.
///
/// # Errors
/// [`Error::Invalid`] for places that do not do, [`Error::Conflict`] when the keys there are another node's,
/// [`Error::Unavailable`]; what was copied is gone on with at the next try.
pub fn take(plan: &Plan<'_>) -> Result<Taken, Error> {
    let unfinished = plan.to.join(UNFINISHED);
    make(&unfinished)?;
    look_at_places(plan)?;
    let _lock = lock(plan.to)?;
    look_at_keys(plan)?;
    let before = newest(plan.to)?;
    let shared: HashMap<String, Sum> =
        before.iter().flat_map(|(_, manifest)| &manifest.files).map(|entry| (entry.path.clone(), entry.sum)).collect();
    let mut work = Work {
        folder: unfinished.clone(),
        before: before.map(|(folder, _)| folder),
        known: shared,
        files: Vec::new(),
        shared: 0,
        missing: 0,
    };
    let mut manifest = work.rows(plan)?;
    if let Some(keys) = plan.keys {
        take_keys(plan.data, keys)?;
    }
    work.raw(plan, &manifest)?;
    work.spool(plan.data)?;
    work.settings(plan)?;
    let Work { mut files, shared, missing, .. } = work;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    manifest.files = files;
    sweep(&unfinished, &manifest)?;
    write(&unfinished.join(MANIFEST), manifest.write().as_bytes())?;
    store::raw::sync_directory(&unfinished)?;
    let folder = name(plan.to, plan.now);
    std::fs::rename(&unfinished, &folder).map_err(|error| failed(&folder, &error))?;
    store::raw::sync_directory(plan.to)?;
    note_place(plan)?;
    let removed = plan.most.map_or(Ok(0), |most| rotate(plan.to, most))?;
    Ok(Taken { folder, manifest, shared, missing, removed })
}

/// A backup under way.
struct Work {
    folder: PathBuf,
    before: Option<PathBuf>,
    /// What the backup before it has, by path.
    known: HashMap<String, Sum>,
    files: Vec<Entry>,
    shared: u64,
    missing: u64,
}

impl Work {
    fn rows(&mut self, plan: &Plan<'_>) -> Result<Manifest, Error> {
        // What an earlier try left of the rows is of another moment.
        for name in ["sluis.db", "sluis.db-journal"] {
            remove(&self.folder.join(name))?;
        }
        remove_all(&self.folder.join("postgres"))?;
        // The moment comes first: whatever is acknowledged after it may be missing, nothing before it is.
        let mut reader = Reader::open_on(plan.data, plan.engine)?;
        let counts = reader.read(|transaction| transaction.counts())?;
        let schema = reader.copy_rows(&self.folder)?;
        let is_sqlite = matches!(plan.engine, Engine::Sqlite);
        if is_sqlite {
            let path = self.folder.join("sluis.db");
            let wrong = store::db::check_file(&path)?;
            if let Some(first) = wrong.first() {
                return Err(Error::Unavailable(format!("the copy of the database is damaged ({first}): look at the disk")));
            }
            self.add("sluis.db", sum(&path)?);
        } else {
            for path in files_of(&self.folder.join("postgres"))? {
                let name = format!("postgres/{}", path.file_name().unwrap_or_default().to_string_lossy());
                self.add(&name, sum(&path)?);
            }
        }
        Ok(Manifest {
            taken: plan.now,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            engine: if is_sqlite { "sqlite" } else { "postgres" }.to_owned(),
            schema,
            submissions: counts.submissions,
            cases: counts.cases,
            batches: counts.batches,
            keys: match plan.keys {
                None => "none",
                Some(_) if plan.beside => "beside",
                Some(_) => "apart",
            }
            .to_owned(),
            files: Vec::new(),
        })
    }

    /// The files of those submissions that have a row in the copy.
    fn raw(&mut self, plan: &Plan<'_>, manifest: &Manifest) -> Result<(), Error> {
        let mut reader =
            if manifest.engine == "sqlite" { Reader::open(&self.folder)? } else { Reader::open_on(plan.data, plan.engine)? };
        let mut after = 0;
        loop {
            let page: Vec<Kept> = reader.read(|transaction| transaction.kept_after(after, PAGE))?;
            let Some(last) = page.last() else { break };
            after = last.id;
            for kept in page.iter().filter(|kept| kept.is_file) {
                self.raw_file(plan.data, kept.public)?;
            }
        }
        drop(reader);
        for folder in std::fs::read_dir(self.folder.join("raw")).into_iter().flatten().flatten() {
            store::raw::sync_directory(&folder.path())?;
        }
        // Reading may have made these beside the copy.
        for name in ["sluis.db-shm", "sluis.db-wal"] {
            remove(&self.folder.join(name))?;
        }
        Ok(())
    }

    fn raw_file(&mut self, data: &Path, public: PublicId) -> Result<(), Error> {
        let from = store::raw::path(data, public);
        let name = public.to_string();
        let path = format!("raw/{}/{name}", name.get(name.len() - 2..).unwrap_or_default());
        let to = self.folder.join(&path);
        let size = match std::fs::metadata(&from) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.missing += 1;
                return Ok(());
            }
            Err(error) => return Err(failed(&from, &error)),
        };
        if let Some(parent) = to.parent() {
            make(parent)?;
        }
        if std::fs::metadata(&to).is_ok_and(|there| there.len() == size) {
            self.shared += 1;
            let there = sum(&to)?;
            self.add(&path, there);
            return Ok(());
        }
        if let (Some(before), Some(known)) = (&self.before, self.known.get(&path))
            && known.0 == size
            && std::fs::hard_link(before.join(&path), &to).is_ok()
        {
            self.shared += 1;
            let known = *known;
            self.add(&path, known);
            return Ok(());
        }
        match copy_file(&from, &to) {
            Ok(copied) => self.add(&path, copied),
            // Retention took it in this moment.
            Err(store::Error::File { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => self.missing += 1,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// What waits to be taken in. The node may take it meanwhile: then it is not missing, the next backup has it.
    fn spool(&mut self, data: &Path) -> Result<(), Error> {
        remove_all(&self.folder.join("spool"))?;
        let folder = self.folder.join("spool").join("new");
        make(&folder)?;
        for from in files_of(&data.join("spool").join("new"))? {
            let name = from.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let path = format!("spool/new/{name}");
            match copy_file(&from, &folder.join(&name)) {
                Ok(copied) if manifest::is_inside(&path) => self.add(&path, copied),
                Ok(_) => {}
                Err(store::Error::File { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn settings(&mut self, plan: &Plan<'_>) -> Result<(), Error> {
        for from in plan.settings {
            let name = from.file_name().unwrap_or_default().to_string_lossy().into_owned();
            // What lies in the data directory goes back there; the rest lies elsewhere on the machine.
            let folder = if from.parent() == Some(plan.data) { "data" } else { "settings" };
            make(&self.folder.join(folder))?;
            let mut path = format!("{folder}/{name}");
            let mut number = 1;
            while self.files.iter().any(|entry| entry.path == path) {
                number += 1;
                path = format!("{folder}/{number}-{name}");
            }
            let copied = copy_file(from, &self.folder.join(&path))?;
            self.add(&path, copied);
        }
        Ok(())
    }

    fn add(&mut self, path: &str, sum: Sum) {
        self.files.push(Entry { path: path.to_owned(), sum });
    }
}

/// Copies the keys over those of the backup before: what was erased since is readable by none then.
fn take_keys(data: &Path, to: &Path) -> Result<(), Error> {
    make(to)?;
    let (there, fresh) = (to.join(KEYS), to.join("keys.db.part"));
    remove(&fresh)?;
    copy_keys(&data.join("keys.db"), &fresh)?;
    if there.exists() {
        let (old, new) = (Keys::open_to_read(&there)?, Keys::open_to_read(&fresh)?);
        if !old.is_same_node(&new) {
            return Err(Error::Conflict(format!(
                "the keys in {} are not of this node, or the node has lost its own: nothing there was overwritten. If keys.db \
                 of the node was lost, stop it and put this copy back; otherwise name another folder for the keys",
                to.display()
            )));
        }
    }
    std::fs::rename(&fresh, &there).map_err(|error| failed(&there, &error))?;
    Ok(store::raw::sync_directory(to)?)
}

/// What is wrong with a backup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Its folder.
    pub folder: PathBuf,
    /// What is in it.
    pub manifest: Manifest,
    /// Files that are missing, or are not what they were, with what is wrong.
    pub wrong: Vec<String>,
    /// Submissions whose keys are not among those that were named; `None` when none were.
    pub keyless: Option<u64>,
}

/// Looks whether every file of a backup is what it was, the database is whole, and the keys fit. `folder` is a backup, or
/// a folder of backups: then the newest.
///
/// # Errors
/// [`Error::NotFound`] when there is none, [`Error::Invalid`] when its manifest was altered, [`Error::Unavailable`].
pub fn check(folder: &Path, keys: Option<&Path>) -> Result<Checked, Error> {
    let (folder, manifest) = find(folder)?;
    let mut wrong = Vec::new();
    for entry in &manifest.files {
        match sum(&folder.join(&entry.path)) {
            Ok(found) if found == entry.sum => {}
            Ok(_) => wrong.push(format!("{}: its bytes are not those that were written", entry.path)),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    let mut keyless = None;
    if manifest.engine == "sqlite" {
        let path = folder.join("sluis.db");
        match store::db::check_file(&path) {
            Ok(found) => wrong.extend(found),
            Err(error) => wrong.push(format!("sluis.db: {error}")),
        }
        if let Some(keys) = keys
            && wrong.is_empty()
        {
            let keys = Keys::open_to_read(&keys.join(KEYS))?;
            let mut reader = Reader::open(&folder)?;
            keyless = Some(lost(&mut reader, &folder, &keys)?.keyless.len() as u64);
        }
    } else {
        wrong.extend(store::db::check_tables(&folder.join("postgres"))?);
    }
    Ok(Checked { folder, manifest, wrong, keyless })
}

/// Submissions whose bytes cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Those whose key is not there.
    pub keyless: Vec<PublicId>,
    /// Those whose file is not there.
    pub fileless: Vec<PublicId>,
}

/// Looks for each submission whose bytes should be there whether its key and file are.
pub(crate) fn lost(reader: &mut Reader, directory: &Path, keys: &Keys) -> Result<Lost, Error> {
    let mut lost = Lost::default();
    let mut after = 0;
    loop {
        let page = reader.read(|transaction| transaction.kept_after(after, PAGE))?;
        let Some(last) = page.last() else { return Ok(lost) };
        after = last.id;
        for kept in &page {
            if keys.get(kept.public)?.is_none() {
                lost.keyless.push(kept.public);
            } else if kept.is_file && !store::raw::path(directory, kept.public).exists() {
                lost.fileless.push(kept.public);
            }
        }
    }
}

/// The backup of a folder, or the newest in it.
///
/// # Errors
/// As [`check`].
pub fn find(folder: &Path) -> Result<(PathBuf, Manifest), Error> {
    if folder.join(MANIFEST).exists() {
        let manifest = read(&folder.join(MANIFEST))?;
        return Ok((folder.to_owned(), manifest));
    }
    newest(folder)?.ok_or_else(|| {
        Error::NotFound(format!("{}: there is no backup here; name a folder that 'sluis backup' wrote to", folder.display()))
    })
}

fn newest(folder: &Path) -> Result<Option<(PathBuf, Manifest)>, Error> {
    let Some(newest) = all(folder)?.pop() else { return Ok(None) };
    let manifest = read(&newest.join(MANIFEST))?;
    Ok(Some((newest, manifest)))
}

/// The finished backups of a folder, oldest first: their names are their moments.
fn all(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(folder, &error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| failed(folder, &error))?.path();
        if path.file_name().is_some_and(|name| name != UNFINISHED) && path.join(MANIFEST).is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<Manifest, Error> {
    let file = std::fs::File::open(path).map_err(|error| failed(path, &error))?;
    let mut text = String::new();
    file.take(manifest::MOST).read_to_string(&mut text).map_err(|error| failed(path, &error))?;
    Manifest::parse(&text).ok_or_else(|| {
        Error::Invalid(format!("{}: the manifest was altered or cut off: take another backup of the folder", path.display()))
    })
}

fn rotate(folder: &Path, most: u32) -> Result<u32, Error> {
    let all = all(folder)?;
    let surplus = all.len().saturating_sub(most.max(1) as usize);
    for old in all.iter().take(surplus) {
        // Without its manifest it is no backup, whatever of it is left when this breaks off.
        remove(&old.join(MANIFEST))?;
        remove_all(old)?;
    }
    Ok(surplus as u32)
}

/// Removes what an earlier try left that is not in the manifest.
fn sweep(folder: &Path, manifest: &Manifest) -> Result<(), Error> {
    let listed: std::collections::HashSet<&str> = manifest.files.iter().map(|entry| entry.path.as_str()).collect();
    for folder_of in ["raw", "data", "settings"] {
        let mut folders = vec![folder.join(folder_of)];
        while let Some(inner) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(&inner) else { continue };
            for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
                if path.is_dir() {
                    folders.push(path);
                } else if path.strip_prefix(folder).is_ok_and(|path| !listed.contains(&*path.to_string_lossy())) {
                    remove(&path)?;
                }
            }
        }
    }
    Ok(())
}

fn look_at_places(plan: &Plan<'_>) -> Result<(), Error> {
    let real = |path: &Path| std::fs::canonicalize(path).map_err(|error| failed(path, &error));
    let (data, to) = (real(plan.data)?, real(plan.to)?);
    if to.starts_with(&data) {
        let place = plan.to.display();
        return Err(Error::Invalid(format!("{place}: a backup inside the data directory is lost with it; name another disk")));
    }
    let Some(keys) = plan.keys else { return Ok(()) };
    make(keys)?;
    let keys_at = real(keys)?;
    if keys_at.starts_with(&data) || data.starts_with(&keys_at) {
        return Err(Error::Invalid(format!("{}: these are the keys' own folder; name another place", keys.display())));
    }
    if !plan.beside && (keys_at.starts_with(&to) || to.starts_with(&keys_at)) {
        return Err(Error::Invalid(format!(
            "{}: keys that lie with what they open protect nothing, and what is erased stays readable; name a place that others \
             look after, or say --keys-beside",
            keys.display()
        )));
    }
    Ok(())
}

/// One backup at a time goes into a folder; the operating system lets go of this when the process ends.
fn lock(folder: &Path) -> Result<std::fs::File, Error> {
    let path = folder.join("lock");
    let file = std::fs::File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| failed(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(Error::Conflict(format!("{}: another backup is being made here", folder.display())))
        }
        Err(std::fs::TryLockError::Error(error)) => Err(failed(&path, &error)),
    }
}

/// Whoever restored the wrong backup wants another one: as long as nobody has looked, the keys for it are not touched.
fn look_at_keys(plan: &Plan<'_>) -> Result<(), Error> {
    let Some(keys) = plan.keys.filter(|keys| keys.join(KEYS).exists()) else { return Ok(()) };
    let condition = Reader::open_on(plan.data, plan.engine)?.read(|transaction| transaction.condition())?;
    if condition.restored.is_some() {
        return Err(Error::Conflict(format!(
            "this node was restored, and nobody has looked yet: the keys in {} may be needed to restore another backup. Say \
             'sluis restore confirm' first, or name another folder for the keys",
            keys.display()
        )));
    }
    Ok(())
}

/// Notes in the data directory where backups are: who erases something has to be told of them.
fn note_place(plan: &Plan<'_>) -> Result<(), Error> {
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).display().to_string();
    let mut places = places(plan.data);
    for place in std::iter::once(plan.to).chain(plan.keys).map(real) {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    write(&plan.data.join(PLACES), (places.join("\n") + "\n").as_bytes())
}

/// The folders into which backups of a data directory were made.
pub fn places(data: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(data.join(PLACES)).unwrap_or_default();
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The name of a backup: its moment, so that names sort as backups do.
fn name(folder: &Path, now: Time) -> PathBuf {
    let plain: String = now.to_string().chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let mut path = folder.join(&plain);
    let mut number = 1;
    while path.exists() {
        number += 1;
        path = folder.join(format!("{plain}-{number}"));
    }
    path
}

pub(crate) fn make(folder: &Path) -> Result<(), Error> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| failed(folder, &error))
}

pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let mut options = std::fs::File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&part).and_then(|mut file| {
        io::Write::write_all(&mut file, bytes)?;
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(&part, path)).map_err(|error| failed(path, &error))
}

/// Files of a folder, sorted; none when there is no such folder.
pub(crate) fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(folder, &error)),
    };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}

pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path, &error)),
        _ => Ok(()),
    }
}

fn remove_all(folder: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(folder, &error)),
        _ => Ok(()),
    }
}

pub(crate) fn failed(path: &Path, error: &io::Error) -> Error {
    Error::Unavailable(format!("{}: {error}", path.display()))
}
