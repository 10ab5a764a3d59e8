//! What only this server has: is it ready, what does it count, what lies on disk, upkeep on demand.

mod admin;
mod backup;
mod health;
mod page;
mod routes;
mod storage;

pub(super) use routes::routes;
