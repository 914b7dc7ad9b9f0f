//! Settings of a Page, gathered from the streams of the directory.

use domain::Content;
use domain::agent::{Agent, Presence};
use domain::directory::{self, BotEvent, Channel, ChannelEvent, Person, PersonEvent, SkillGroup, SkillGroupEvent, field};
use domain::event::{Event, StreamId, StreamKind};
use domain::texts::Texts;
use engine::ports::{LoadedAgent, PageSettings, StoreError, StreamState};
use shared::{BotId, ChannelId, PageId, PersonId, SkillGroupId};

use super::streams::Streams;

impl Streams {
    /// The settings of a Page, where a channel is connected to it.
    pub(super) fn settings_of(&self, page: &PageId) -> Result<Option<PageSettings>, StoreError> {
        for id in self.of_kind(StreamKind::Channel) {
            match self.newest(id)? {
                (_, Some(Event::Channel(ChannelEvent::ChannelSaved { channel, content }))) if channel.page == *page => {
                    return self.gather(ChannelId(id.id), channel, &content).map(Some);
                }
                _ => {}
            }
        }
        Ok(None)
    }

    fn gather(&self, id: ChannelId, channel: Channel, content: &Content) -> Result<PageSettings, StoreError> {
        let group = self.skill_group(channel.skill_group)?;
        let texts = Texts {
            language: channel.language,
            own: directory::own_texts(content),
        };
        Ok(PageSettings {
            channel: id,
            page: channel.page,
            skill_group: channel.skill_group,
            mode: channel.work_mode,
            bot: self.bot_that_is_on(channel.bot)?,
            enabled: channel.enabled,
            texts,
            accept: group.accept,
            wrap_up: group.wrap_up,
            humans_ready: self.humans_ready(channel.skill_group)?,
        })
    }

    fn skill_group(&self, id: SkillGroupId) -> Result<SkillGroup, StoreError> {
        match self.newest(id.into())? {
            (_, Some(Event::SkillGroup(SkillGroupEvent::SkillGroupSaved { skill_group, .. }))) => Ok(skill_group),
            _ => Ok(SkillGroup::default()),
        }
    }

    fn bot_that_is_on(&self, id: Option<BotId>) -> Result<Option<BotId>, StoreError> {
        let Some(id) = id else { return Ok(None) };
        match self.newest(id.into())? {
            (_, Some(Event::Bot(BotEvent::BotSaved { bot, .. }))) if bot.enabled => Ok(Some(id)),
            _ => Ok(None),
        }
    }

    /// Whether somebody of the group is ready.
    fn humans_ready(&self, group: SkillGroupId) -> Result<bool, StoreError> {
        for id in self.of_kind(StreamKind::Person) {
            let person = PersonId(id.id);
            let serves = self
                .person(person)?
                .is_some_and(|(_, known, _)| known.enabled && known.skill_groups.contains(&group));
            if serves && self.agent(person)?.state.presence == Presence::Ready {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn person(&self, id: PersonId) -> Result<Option<(i64, Person, Content)>, StoreError> {
        match self.newest(StreamId::person(id))? {
            (version, Some(Event::Person(PersonEvent::PersonSaved { person, content }))) => Ok(Some((version, person, content))),
            _ => Ok(None),
        }
    }

    fn agent(&self, id: PersonId) -> Result<StreamState<Agent>, StoreError> {
        let loaded = self.load(StreamId::agent(id))?;
        Ok(loaded.unwrap_or_else(|| StreamState {
            version: 0,
            state: Agent::default(),
        }))
    }

    pub(super) fn loaded_agent(&self, id: PersonId) -> Result<LoadedAgent, StoreError> {
        let agent = self.agent(id)?;
        let Some((version, person, content)) = self.person(id)? else {
            let person = StreamState { version: 0, state: None };
            return Ok(LoadedAgent {
                agent,
                person,
                public_name: String::new(),
            });
        };
        Ok(LoadedAgent {
            agent,
            person: StreamState {
                version,
                state: Some(person),
            },
            public_name: public_name(&content),
        })
    }
}

/// The name that visitors read. The real one never stands in for it.
fn public_name(content: &Content) -> String {
    content.fields.get(field::PUBLIC_NAME).cloned().unwrap_or_default()
}
