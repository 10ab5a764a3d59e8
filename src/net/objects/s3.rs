//! Objects of a bucket, below a prefix.
//!
//! Credentials, region and endpoint come from the environment, under the names that AWS's own tools
//! read. A call waits for its answer on the caller's thread; the connections live on a thread of this.

use std::{ops::Range, sync::Arc, time::Duration};

use futures_util::TryStreamExt;
use object_store::{
    ClientOptions, ObjectStore, ObjectStoreExt, PutMode, aws::AmazonS3Builder, path::Path,
};
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

use crate::model::{BlockEntry, Blocks, Error};

/// A piece of a backup has 16 MiB: this is a line of 2 Mbit/s.
const REQUEST_TIME_MAX: Duration = Duration::from_mins(2);

/// A store that takes no connection within this time is away.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// [`Blocks`] in a bucket.
#[derive(Debug)]
pub struct ObjectBlocks {
    store: Arc<dyn ObjectStore>,
    prefix: String,
    place: String,
    runtime: Runtime,
    /// How long a read of ranges may take, whatever is tried again in it.
    read_time_max: Duration,
}

impl ObjectBlocks {
    /// The objects of `s3://bucket/prefix`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for another address, or an environment that makes no sense.
    pub fn open(address: &str) -> Result<Self, Error> {
        let invalid = |why: String| Error::Invalid(format!("{address}: {why}"));
        let rest = address
            .strip_prefix("s3://")
            .ok_or_else(|| invalid("write it like s3://bucket/prefix".into()))?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() || prefix.split('/').any(|name| name == "..") {
            return Err(invalid("write it like s3://bucket/prefix".into()));
        }
        // Fails where one is installed, which is as well.
        drop(rustls::crypto::ring::default_provider().install_default());
        let options = ClientOptions::new()
            .with_timeout(REQUEST_TIME_MAX)
            .with_connect_timeout(CONNECT_TIME_MAX);
        // What the environment asks for, as plain HTTP, is heard after this.
        let store = AmazonS3Builder::from_env()
            .with_client_options(with_environment(options))
            .with_bucket_name(bucket)
            .build()
            .map_err(|error| invalid(text(&error)))?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("objects")
            .enable_all()
            .build()
            .map_err(|error| invalid(error.to_string()))?;
        let prefix = prefix.trim_matches('/').to_owned();
        let place = address.trim_end_matches('/').to_owned();
        let read_time_max = REQUEST_TIME_MAX;
        Ok(Self { store: Arc::new(store), prefix, place, runtime, read_time_max })
    }

    /// The same for those whose readers cannot wait longer. What is stored and listed may take its time.
    #[must_use]
    pub fn read_within(self, read_time_max: Duration) -> Self {
        Self { read_time_max, ..self }
    }

    fn at(&self, name: &str) -> Path {
        match (self.prefix.as_str(), name) {
            ("", name) => Path::from(name),
            (prefix, "") => Path::from(prefix),
            (prefix, name) => Path::from(format!("{prefix}/{name}")),
        }
    }

    fn failed<'a>(call: &'a str, name: &'a str) -> impl FnOnce(object_store::Error) -> Error + 'a {
        move |error| {
            let text = format!("cannot {call} {name:?}: {}", text(&error));
            match error {
                object_store::Error::NotFound { .. } => Error::Io(text),
                object_store::Error::PermissionDenied { .. }
                | object_store::Error::Unauthenticated { .. }
                | object_store::Error::InvalidPath { .. }
                | object_store::Error::UnknownConfigurationKey { .. } => Error::Invalid(text),
                _ => Error::Unavailable(text),
            }
        }
    }
}

/// Plain HTTP where `AWS_ALLOW_HTTP` says so, as for a store on this machine.
fn with_environment(options: ClientOptions) -> ClientOptions {
    let allowed = std::env::var("AWS_ALLOW_HTTP").is_ok_and(|it| ["1", "true"].contains(&&*it));
    options.with_allow_http(allowed)
}

/// An error with its causes.
fn text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

impl Blocks for ObjectBlocks {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let place = self.at(name);
        let put = self.store.put(&place, bytes.to_vec().into());
        self.runtime.block_on(put).map(drop).map_err(Self::failed("write", name))
    }

    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<bool, Error> {
        let place = self.at(name);
        let put = self.store.put_opts(&place, bytes.to_vec().into(), PutMode::Create.into());
        match self.runtime.block_on(put) {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(Self::failed("write", name)(error)),
        }
    }

    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let place = self.at(name);
        self.runtime.block_on(async {
            let found = match self.store.get(&place).await {
                Ok(found) => found,
                Err(object_store::Error::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(Self::failed("read", name)(error)),
            };
            let size = found.meta.size;
            if size > limit {
                let place = &self.place;
                let what = format!("{place}/{name} has {size} bytes, limit is {limit}");
                return Err(Error::Damaged(what));
            }
            let bytes = found.bytes().await.map_err(Self::failed("read", name))?;
            Ok(Some(bytes.to_vec()))
        })
    }

    fn read(&self, name: &str, ranges: &[Range<u64>]) -> Result<Vec<Vec<u8>>, Error> {
        let place = self.at(name);
        let parts = self.runtime.block_on(async {
            timeout(self.read_time_max, self.store.get_ranges(&place, ranges)).await
        });
        let parts = parts.map_err(|_| {
            let seconds = self.read_time_max.as_secs_f64();
            Error::Unavailable(format!("cannot read {name:?}: no answer within {seconds} s"))
        })?;
        let parts = parts.map_err(Self::failed("read", name))?;
        Ok(parts.iter().map(|part| part.to_vec()).collect())
    }

    fn list(&self, folder: &str) -> Result<Vec<BlockEntry>, Error> {
        let place = self.at(folder);
        let below = (!place.as_ref().is_empty()).then_some(&place);
        let found: Result<Vec<_>, _> = self.runtime.block_on(self.store.list(below).try_collect());
        let skip = if self.prefix.is_empty() { 0 } else { self.prefix.len() + 1 };
        let mut entries: Vec<BlockEntry> = found
            .map_err(Self::failed("list", folder))?
            .into_iter()
            .filter_map(|meta| {
                let name = meta.location.as_ref().get(skip..)?.to_owned();
                Some(BlockEntry { name, size: meta.size })
            })
            .collect();
        entries.sort();
        Ok(entries)
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        match self.runtime.block_on(self.store.delete(&self.at(name))) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Self::failed("remove", name)(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_none_are_refused_by_name() {
        for bad in ["", "s3://", "s3:///x", "gs://a/b", "s3://a/../b", "/tmp"] {
            let error = ObjectBlocks::open(bad).unwrap_err().to_string();
            assert!(error.contains("s3://bucket/prefix"), "{error}");
        }
    }
}
