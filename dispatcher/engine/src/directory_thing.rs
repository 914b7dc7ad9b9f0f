//! What the five kinds of the directory have in common: a stream whose newest event is the whole thing.

use domain::Content;
use domain::directory::{App, AppEvent, Bot, BotEvent, Channel, ChannelEvent, Person, PersonEvent, SkillGroup, SkillGroupEvent};
use domain::event::{Event, StreamId};
use domain::projection::{DirectoryRow, RowChange};
use serde::Serialize;
use shared::{AppId, BotId, ChannelId, PersonId, SkillGroupId};

/// An app, channel, bot, skill group or person.
pub trait DirectoryThing: Clone + Serialize + Send + Sync + 'static {
    /// How one is named.
    type Id: Copy + Send + Sync + 'static;
    /// What it is called in errors.
    const WHAT: &'static str;

    /// Its stream.
    fn stream(id: Self::Id) -> StreamId;
    /// The event that saves it.
    fn saved(self, content: Content) -> Event;
    /// What an event saved.
    fn from_event(event: Event) -> Option<(Self, Content)>;
    /// Its row.
    fn row(row: DirectoryRow<Self::Id, Self>) -> RowChange;
}

macro_rules! directory_thing {
    ($thing:ident, $id:ident, $what:literal, $event:ident :: $saved:ident { $field:ident }, $stream:expr) => {
        impl DirectoryThing for $thing {
            type Id = $id;
            const WHAT: &'static str = $what;

            fn stream(id: $id) -> StreamId {
                $stream(id)
            }

            fn saved(self, content: Content) -> Event {
                Event::$thing($event::$saved { $field: self, content })
            }

            fn from_event(event: Event) -> Option<(Self, Content)> {
                match event {
                    Event::$thing($event::$saved { $field, content }) => Some(($field, content)),
                    _ => None,
                }
            }

            fn row(row: DirectoryRow<$id, Self>) -> RowChange {
                RowChange::$thing(Box::new(row))
            }
        }
    };
}

directory_thing!(App, AppId, "the app", AppEvent::AppSaved { app }, StreamId::from);
directory_thing!(
    Channel,
    ChannelId,
    "the channel",
    ChannelEvent::ChannelSaved { channel },
    StreamId::from
);
directory_thing!(Bot, BotId, "the bot", BotEvent::BotSaved { bot }, StreamId::from);
directory_thing!(
    SkillGroup,
    SkillGroupId,
    "the skill group",
    SkillGroupEvent::SkillGroupSaved { skill_group },
    StreamId::from
);
directory_thing!(
    Person,
    PersonId,
    "the person",
    PersonEvent::PersonSaved { person },
    StreamId::person
);
