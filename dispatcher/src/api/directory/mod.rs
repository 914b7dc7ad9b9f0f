//! Apps, channels, bots, skill groups and people.
//!
//! Invariant: secrets go in and never come out; an answer only says whether one is there.

mod apps;
mod bots;
mod channels;
mod entry;
mod people;
mod skill_groups;

pub(crate) use apps::{create_app, get_app, list_apps, update_app};
pub(crate) use bots::{create_bot, get_bot, list_bots, update_bot};
pub(crate) use channels::{create_channel, get_channel, list_channels, update_channel};
pub(crate) use people::{create_person, get_person, list_people, update_person};
pub(crate) use skill_groups::{create_skill_group, get_skill_group, list_skill_groups, update_skill_group};
