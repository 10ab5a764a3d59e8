//! The configuration: from the command line, the environment, a file and defaults to [`Options`].
//!
//! One table ([`Key`], `rows`) has every option. One file, `quipu.yml`, may hold them all, and the
//! sections that other rooms own (`sections`). A value comes from the flag, else the variable, else the
//! file, else the default, and knows from where ([`Origin`]). A file is read whole: all that is wrong
//! with it is told at once ([`Faults`]), and a configuration with a fault is not applied at all.

mod convert;
mod elsewhere;
mod environment;
mod fault;
mod keys;
mod limits;
mod load;
mod people;
mod print;
mod read;
mod reference;
mod rows;
mod schema;
mod sections;
mod texts;
mod tree;

#[cfg(test)]
mod tests;

pub use convert::{Converted, convert, convert_text};
pub use fault::{Fault, Faults};
pub use keys::{Key, Kind, SECTIONS};
pub use load::{Loaded, Loader, Origin, Setting, Variables};
pub use reference::reference;
pub use schema::schema;
