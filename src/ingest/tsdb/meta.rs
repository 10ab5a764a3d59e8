//! `meta.json`: what a block says of itself.

use serde::Deserialize;

/// What a block says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BlockMeta {
    /// Its name, which sorts by time of making.
    pub ulid: String,
    /// Version of the block's format; 1 is the only one.
    #[serde(default)]
    pub version: u32,
    /// First millisecond.
    #[serde(rename = "minTime")]
    pub min_time: i64,
    /// The millisecond behind the last.
    #[serde(rename = "maxTime")]
    pub max_time: i64,
    /// What is in it.
    #[serde(default)]
    pub stats: BlockStats,
    /// How it was made.
    #[serde(default)]
    pub compaction: Compaction,
}

/// How a block was made of others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Compaction {
    /// The blocks whose rows it has, and that may still lie beside it.
    #[serde(default)]
    pub parents: Vec<Parent>,
}

/// A block that was made part of another.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Parent {
    /// Its name.
    pub ulid: String,
}

/// Counts of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct BlockStats {
    /// Rows of all kinds.
    #[serde(rename = "numSamples", default)]
    pub samples: u64,
    /// Series.
    #[serde(rename = "numSeries", default)]
    pub series: u64,
    /// Chunks.
    #[serde(rename = "numChunks", default)]
    pub chunks: u64,
}

/// Reads the file.
///
/// # Errors
/// What is wrong with the text, in words.
pub fn read_meta(bytes: &[u8]) -> Result<BlockMeta, String> {
    let meta: BlockMeta = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if meta.version != 1 {
        return Err(format!("version of the block is {}, only 1 is known", meta.version));
    }
    Ok(meta)
}
