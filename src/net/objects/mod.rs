//! Object storage behind the door [`Blocks`](crate::model::Blocks): S3 and what speaks like it.

mod s3;

pub use s3::ObjectBlocks;
