//! The pages: what a person sees in a browser. Templates, plain styles, the IDE.
//!
//! Nothing here knows the graph: a page is answered from the session alone.

pub mod assets;
pub mod ide;
mod pages;
pub mod site;
mod token_form;
