//! Small pieces that pages and islands share.

#[cfg(feature = "ssr")]
mod choice;
#[cfg(feature = "ssr")]
mod crumbs;
#[cfg(feature = "ssr")]
pub(crate) mod fields;
pub(crate) mod icon;
#[cfg(feature = "ssr")]
mod log_pager;
#[cfg(feature = "ssr")]
mod table;

#[cfg(feature = "ssr")]
pub(crate) use choice::Choice;
#[cfg(feature = "ssr")]
pub(crate) use crumbs::Crumbs;
pub(crate) use icon::Icon;
#[cfg(feature = "ssr")]
pub(crate) use log_pager::LogPager;
#[cfg(feature = "ssr")]
pub(crate) use table::DataTable;
