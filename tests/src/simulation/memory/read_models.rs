//! The read models: rows that follow from events, kept as the changes say.

use std::collections::{BTreeMap, BTreeSet};

use domain::directory::{App, Bot, Channel, Person, SkillGroup, field};
use domain::projection::{AgentRow, ConversationRow, DirectoryRow, LastMessageRow, MessageStatusRow, RowChange, TimelineRow};
use domain::routing::Floor;
use engine::ports::StoreError;
use shared::{AppId, BotId, ChannelId, ConversationId, PageId, PersonId, SkillGroupId};
use uuid::Uuid;

use super::faults::refused;

/// The rows, by id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadModels {
    /// Conversations.
    pub conversations: BTreeMap<ConversationId, ConversationRow>,
    /// Newest messages.
    pub last_messages: BTreeMap<ConversationId, LastMessageRow>,
    /// Timeline items.
    pub timeline: BTreeMap<Uuid, TimelineRow>,
    /// What became of messages, as last told; the reason is a column of its own.
    pub statuses: BTreeMap<Uuid, MessageStatusRow>,
    /// Agents.
    pub agents: BTreeMap<PersonId, AgentRow>,
    /// Apps.
    pub apps: BTreeMap<AppId, DirectoryRow<AppId, App>>,
    /// Channels.
    pub channels: BTreeMap<ChannelId, DirectoryRow<ChannelId, Channel>>,
    /// Bots.
    pub bots: BTreeMap<BotId, DirectoryRow<BotId, Bot>>,
    /// Skill groups.
    pub skill_groups: BTreeMap<SkillGroupId, DirectoryRow<SkillGroupId, SkillGroup>>,
    /// People.
    pub people: BTreeMap<PersonId, DirectoryRow<PersonId, Person>>,
}

impl ReadModels {
    /// Whether the database's unique indexes would take these rows.
    pub(super) fn check(&self, changes: &[RowChange]) -> Result<(), StoreError> {
        for change in changes {
            match change {
                RowChange::Channel(row) if self.page_is_taken(&row.state.page, row.id) => {
                    return Err(refused("another channel has this Page"));
                }
                RowChange::App(row) if self.app_is_taken(row) => return Err(refused("another app has this id")),
                RowChange::Person(row) if self.login_is_taken(row) => return Err(refused("another person has this login")),
                _ => {}
            }
        }
        Ok(())
    }

    fn page_is_taken(&self, page: &PageId, by: ChannelId) -> bool {
        self.channels.values().any(|other| other.state.page == *page && other.id != by)
    }

    fn app_is_taken(&self, row: &DirectoryRow<AppId, App>) -> bool {
        let same = |other: &&DirectoryRow<AppId, App>| other.state.facebook_app_id == row.state.facebook_app_id;
        self.apps.values().filter(same).any(|other| other.id != row.id)
    }

    fn login_is_taken(&self, row: &DirectoryRow<PersonId, Person>) -> bool {
        let login = |row: &DirectoryRow<PersonId, Person>| row.content.fields.get(field::LOGIN).cloned();
        let Some(wanted) = login(row) else { return false };
        self.people
            .values()
            .any(|other| other.id != row.id && login(other).as_deref() == Some(wanted.as_str()))
    }

    /// Runs a change.
    pub(super) fn run(&mut self, change: RowChange) {
        match change {
            RowChange::Conversation(row) => drop(self.conversations.insert(row.id, *row)),
            RowChange::LastMessage(row) => drop(self.last_messages.insert(row.conversation, row)),
            RowChange::TimelineItem(row) => drop(self.timeline.insert(row.id, *row)),
            RowChange::MessageStatus(row) => self.note_status(row),
            RowChange::Agent(row) => drop(self.agents.insert(row.id, row)),
            RowChange::App(row) => drop(self.apps.insert(row.id, *row)),
            RowChange::Channel(row) => drop(self.channels.insert(row.id, *row)),
            RowChange::Bot(row) => drop(self.bots.insert(row.id, *row)),
            RowChange::SkillGroup(row) => drop(self.skill_groups.insert(row.id, *row)),
            RowChange::Person(row) => drop(self.people.insert(row.id, *row)),
        }
    }

    fn note_status(&mut self, row: MessageStatusRow) {
        if let Some(item) = self.timeline.get_mut(&row.message.0) {
            item.status = Some(row.status);
            if row.mid.is_some() {
                item.mid.clone_from(&row.mid);
            }
            self.statuses.insert(row.message.0, row);
        }
    }

    pub(super) fn connected_pages(&self) -> BTreeSet<&PageId> {
        self.channels.values().map(|row| &row.state.page).collect()
    }

    pub(super) fn floor(&self) -> Floor {
        let mut floor = Floor::default();
        for row in self.conversations.values() {
            floor.place(row.id, &row.state);
        }
        for row in self.agents.values() {
            floor.seat(row.id, row.state.presence, row.state.active.clone(), row.state.last_engaged);
        }
        for row in self.people.values() {
            floor.enrol(row.id, &row.state);
        }
        floor
    }
}
