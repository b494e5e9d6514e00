//! `ftbench import`.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::run::write_figures;
use super::{command_line, remark};
use crate::cli::{ImportArgs, OutputOptions};
use crate::error::{Error, ExitStatus, Failure};
use crate::import::{ImportError, Source, assemble, pyperf};
use crate::outside;
use crate::record::file_name::file_name;
use crate::record::folder::RunFolder;

/// The largest file that is read, bytes after decompression: fifty times the results of all of pyperformance.
const LARGEST_BYTES: u64 = 128 << 20;

/// The first bytes of a file compressed with gzip (RFC 1952, section 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ImportFileError {
    /// The system or the decompressor fails.
    #[error("cannot read {}: {source}; give a file that 'pyperf ... -o FILE' wrote", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error.
        source: io::Error,
    },
    /// The file is too large.
    #[error(
        "{} has more than {} MiB; import its benchmarks in parts ('pyperf convert --include-benchmark')",
        .0.display(),
        LARGEST_BYTES >> 20
    )]
    TooLarge(PathBuf),
}

impl Failure for ImportFileError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Read { source, .. } => ExitStatus::for_read_error(source),
            Self::TooLarge(_) => ExitStatus::WrongInput,
        }
    }
}

impl Failure for ImportError {}

/// Converts pyperf files to a run folder.
pub fn import(arguments: &ImportArgs, output: OutputOptions) -> Result<ExitStatus, Error> {
    let sources: Vec<Source> = arguments
        .files
        .iter()
        .map(|path| read(path))
        .collect::<Result<_, Error>>()?;
    let imported = assemble(&sources, command_line(), env!("CARGO_PKG_VERSION"))?;
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| default_out(sources.first()));
    let mut folder = RunFolder::create(&out)?;
    folder.write_manifest(&imported.manifest)?;
    for trial in &imported.trials {
        folder.append(trial)?;
    }
    write_figures(&folder)?;
    remark(
        output,
        &format!(
            "wrote the run to {}; use it with 'ftbench show', 'plot', 'report', 'compare' or 'export'",
            out.display()
        ),
    );
    Ok(ExitStatus::Success)
}

fn default_out(first: Option<&Source>) -> PathBuf {
    let name = first.map_or("imported", |source| source.name.as_str());
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let name = name.strip_suffix(".json").unwrap_or(name);
    Path::new("results").join(file_name(name))
}

fn read(path: &Path) -> Result<Source, Error> {
    let failed = |source| ImportFileError::Read {
        path: path.to_owned(),
        source,
    };
    let bytes = bounded(outside::open(path).map_err(failed)?, path)?;
    let sha256 = hex::encode(Sha256::digest(&bytes));
    let text = if bytes.starts_with(&GZIP_MAGIC) {
        bounded(MultiGzDecoder::new(bytes.as_slice()), path)?
    } else {
        bytes
    };
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let suite = pyperf::parse(&text).map_err(|reason| ImportError {
        file: path.display().to_string(),
        reason,
    })?;
    Ok(Source { name, sha256, suite })
}

/// Reads everything, up to the size limit.
fn bounded(reader: impl Read, path: &Path) -> Result<Vec<u8>, ImportFileError> {
    let mut bytes = Vec::new();
    let read = reader.take(LARGEST_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|source| ImportFileError::Read {
        path: path.to_owned(),
        source,
    })?;
    if bytes.len() as u64 > LARGEST_BYTES {
        return Err(ImportFileError::TooLarge(path.to_owned()));
    }
    Ok(bytes)
}
