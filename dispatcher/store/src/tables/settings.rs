//! The settings that hold on a Page: channel, bot, skill group, and whether somebody is ready.

use std::collections::{BTreeMap, BTreeSet};

use diesel::RunQueryDsl as _;
use diesel::pg::PgConnection;
use diesel::sql_types::{Array, Bool, Jsonb, Nullable, Text, Uuid as SqlUuid};
use domain::directory::AcceptMode;
use domain::texts::{TextKey, Texts};
use engine::ports::PageSettings;
use shared::{BotId, ChannelId, PageId, SkillGroupId};
use uuid::Uuid;

use crate::failure::{Failure, unreadable};
use crate::json::Json;
use crate::names::value_of;
use crate::statement::statement;

type Columns = (
    Text,
    SqlUuid,
    SqlUuid,
    Text,
    Bool,
    Text,
    Jsonb,
    Nullable<SqlUuid>,
    Nullable<Text>,
    Nullable<Bool>,
    Bool,
);
type Tuple = (
    String,
    Uuid,
    Uuid,
    String,
    bool,
    String,
    Json,
    Option<Uuid>,
    Option<String>,
    Option<bool>,
    bool,
);

pub(crate) fn load(connection: &mut PgConnection, pages: &BTreeSet<PageId>) -> Result<BTreeMap<PageId, PageSettings>, Failure> {
    if pages.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<Tuple> = statement::<Columns>(
        "SELECT c.page_id, c.id, c.skill_group, c.work_mode, c.enabled, c.language, c.texts, b.id, g.accept, g.wrap_up,
                EXISTS (SELECT 1 FROM agent a JOIN person p ON p.id = a.id
                        WHERE a.presence = 'ready' AND p.enabled AND p.skill_groups @> ARRAY[c.skill_group])
         FROM channel c
         LEFT JOIN bot b ON b.id = c.bot AND b.enabled
         LEFT JOIN skill_group g ON g.id = c.skill_group
         WHERE c.page_id = ANY(?)",
    )
    .bind::<Array<Text>, _>(pages.iter().map(PageId::as_str).collect::<Vec<_>>())
    .load(connection)?;
    rows.into_iter().map(settings).collect()
}

fn settings(row: Tuple) -> Result<(PageId, PageSettings), Failure> {
    let (page, channel, skill_group, mode, enabled, language, texts, bot, accept, wrap_up, humans_ready) = row;
    let place = || unreadable(format!("channel:{channel}"));
    let page = PageId::parse(&page).map_err(|_not_a_page| place())?;
    let own: BTreeMap<String, String> = texts.read().map_err(|_unreadable| place())?;
    let settings = PageSettings {
        channel: ChannelId(channel),
        page: page.clone(),
        skill_group: SkillGroupId(skill_group),
        mode: value_of(&mode).ok_or_else(place)?,
        bot: bot.map(BotId),
        enabled,
        texts: Texts {
            language: value_of(&language).ok_or_else(place)?,
            // A key that this version does not know yet is another version's.
            own: own
                .into_iter()
                .filter_map(|(key, text)| Some((value_of::<TextKey>(&key)?, text)))
                .collect(),
        },
        accept: match accept {
            Some(word) => value_of(&word).ok_or_else(place)?,
            None => AcceptMode::default(),
        },
        wrap_up: wrap_up.unwrap_or_default(),
        humans_ready,
    };
    Ok((page, settings))
}

/// Which of these Pages may not send at present.
pub(crate) fn closed(connection: &mut PgConnection, pages: &BTreeSet<&str>) -> Result<BTreeSet<String>, Failure> {
    if pages.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows: Vec<(String,)> = statement::<(Text,)>("SELECT page_id FROM page_gate WHERE page_id = ANY(?)")
        .bind::<Array<Text>, _>(pages.iter().copied().collect::<Vec<_>>())
        .load(connection)?;
    Ok(rows.into_iter().map(|(page,)| page).collect())
}
