//! Apps, channels, bots, skill groups and people as they are now.

use std::collections::BTreeMap;

use diesel::RunQueryDsl as _;
use diesel::pg::PgConnection;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Jsonb, Nullable, Text, Uuid as SqlUuid};
use domain::content::Content;
use domain::directory::{App, Bot, Channel, Person, SkillGroup, field, own_texts};
use domain::projection::DirectoryRow;
use serde_json::json;
use shared::{AppId, BotId, ChannelId, PersonId, SkillGroupId};
use uuid::Uuid;

use crate::failure::{Failure, unreadable};
use crate::json::Json;
use crate::names::{value_of, word_of};
use crate::statement::statement;
use crate::vault::{Vault, place};

fn text<'a>(content: &'a Content, name: &str) -> &'a str {
    content.fields.get(name).map_or("", String::as_str)
}

/// Secrets of a row: sealed JSON, bound to table and id.
fn secrets(vault: &Vault, table: &str, id: Uuid, content: &Content, names: &[&str]) -> Vec<u8> {
    let fields: BTreeMap<&str, Option<&String>> = names.iter().map(|name| (*name, content.fields.get(*name))).collect();
    vault.seal_for_service(&place(table, id), json!(fields).to_string().as_bytes())
}

pub(crate) fn put_app(connection: &mut PgConnection, vault: &Vault, row: &DirectoryRow<AppId, App>) -> Result<(), Failure> {
    let names = [field::APP_SECRET, field::SECOND_SECRET, field::VERIFY_TOKEN];
    statement::<()>(
        "INSERT INTO app (id, facebook_app_id, name, secrets, version) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET
             facebook_app_id = excluded.facebook_app_id, name = excluded.name, secrets = excluded.secrets, version = excluded.version",
    )
    .bind::<SqlUuid, _>(row.id.0)
    .bind::<Text, _>(row.state.facebook_app_id.as_str())
    .bind::<Text, _>(text(&row.content, field::NAME))
    .bind::<Binary, _>(secrets(vault, "app", row.id.0, &row.content, &names))
    .bind::<BigInt, _>(row.version)
    .execute(connection)?;
    Ok(())
}

pub(crate) fn put_channel(connection: &mut PgConnection, vault: &Vault, row: &DirectoryRow<ChannelId, Channel>) -> Result<(), Failure> {
    let texts: BTreeMap<&str, String> = own_texts(&row.content)
        .into_iter()
        .map(|(key, text)| (key.as_str(), text))
        .collect();
    statement::<()>(
        "INSERT INTO channel
             (id, page_id, app_id, name, skill_group, bot, work_mode, enabled, language, texts, secrets, version)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET
             page_id = excluded.page_id, app_id = excluded.app_id, name = excluded.name, skill_group = excluded.skill_group,
             bot = excluded.bot, work_mode = excluded.work_mode, enabled = excluded.enabled, language = excluded.language,
             texts = excluded.texts, secrets = excluded.secrets, version = excluded.version",
    )
    .bind::<SqlUuid, _>(row.id.0)
    .bind::<Text, _>(row.state.page.as_str())
    .bind::<SqlUuid, _>(row.state.app.0)
    .bind::<Text, _>(text(&row.content, field::NAME))
    .bind::<SqlUuid, _>(row.state.skill_group.0)
    .bind::<Nullable<SqlUuid>, _>(row.state.bot.map(|id| id.0))
    .bind::<Text, _>(word_of(&row.state.work_mode))
    .bind::<Bool, _>(row.state.enabled)
    .bind::<Text, _>(word_of(&row.state.language))
    .bind::<Jsonb, _>(Json::of(&texts)?)
    .bind::<Binary, _>(secrets(vault, "channel", row.id.0, &row.content, &[field::ACCESS_TOKEN]))
    .bind::<BigInt, _>(row.version)
    .execute(connection)?;
    // The callback path of a Page outlives its channel.
    statement::<()>("INSERT INTO page_alias (page_id, app_id) VALUES (?, ?) ON CONFLICT (page_id) DO UPDATE SET app_id = excluded.app_id")
        .bind::<Text, _>(row.state.page.as_str())
        .bind::<SqlUuid, _>(row.state.app.0)
        .execute(connection)?;
    Ok(())
}

pub(crate) fn put_bot(connection: &mut PgConnection, vault: &Vault, row: &DirectoryRow<BotId, Bot>) -> Result<(), Failure> {
    statement::<()>(
        "INSERT INTO bot (id, name, client_id, base_url, enabled, deadline_ms, secrets, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET
             name = excluded.name, client_id = excluded.client_id, base_url = excluded.base_url, enabled = excluded.enabled,
             deadline_ms = excluded.deadline_ms, secrets = excluded.secrets, version = excluded.version",
    )
    .bind::<SqlUuid, _>(row.id.0)
    .bind::<Text, _>(text(&row.content, field::NAME))
    .bind::<Text, _>(row.state.client_id.as_str())
    .bind::<Nullable<Text>, _>(row.state.base_url.as_deref())
    .bind::<Bool, _>(row.state.enabled)
    .bind::<Integer, _>(i32::try_from(row.state.deadline_ms).unwrap_or(i32::MAX))
    .bind::<Binary, _>(secrets(vault, "bot", row.id.0, &row.content, &[field::SECRET]))
    .bind::<BigInt, _>(row.version)
    .execute(connection)?;
    Ok(())
}

pub(crate) fn put_skill_group(connection: &mut PgConnection, row: &DirectoryRow<SkillGroupId, SkillGroup>) -> Result<(), Failure> {
    statement::<()>(
        "INSERT INTO skill_group (id, name, accept, wrap_up, version) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET
             name = excluded.name, accept = excluded.accept, wrap_up = excluded.wrap_up, version = excluded.version",
    )
    .bind::<SqlUuid, _>(row.id.0)
    .bind::<Text, _>(text(&row.content, field::NAME))
    .bind::<Text, _>(word_of(&row.state.accept))
    .bind::<Bool, _>(row.state.wrap_up)
    .bind::<BigInt, _>(row.version)
    .execute(connection)?;
    Ok(())
}

pub(crate) fn put_person(connection: &mut PgConnection, vault: &Vault, row: &DirectoryRow<PersonId, Person>) -> Result<(), Failure> {
    let groups: Vec<Uuid> = row.state.skill_groups.iter().map(|id| id.0).collect();
    statement::<()>(
        "INSERT INTO person (id, login, name, public_name, role, skill_groups, capacity, enabled, secrets, version)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET
             login = excluded.login, name = excluded.name, public_name = excluded.public_name, role = excluded.role,
             skill_groups = excluded.skill_groups, capacity = excluded.capacity, enabled = excluded.enabled,
             secrets = excluded.secrets, version = excluded.version",
    )
    .bind::<SqlUuid, _>(row.id.0)
    .bind::<Text, _>(text(&row.content, field::LOGIN))
    .bind::<Text, _>(text(&row.content, field::NAME))
    .bind::<Text, _>(text(&row.content, field::PUBLIC_NAME))
    .bind::<Text, _>(word_of(&row.state.role))
    .bind::<Array<SqlUuid>, _>(groups)
    .bind::<Integer, _>(i32::try_from(row.state.capacity).unwrap_or(i32::MAX))
    .bind::<Bool, _>(row.state.enabled)
    .bind::<Binary, _>(secrets(vault, "person", row.id.0, &row.content, &[field::PASSWORD_HASH]))
    .bind::<BigInt, _>(row.version)
    .execute(connection)?;
    Ok(())
}

/// The name that visitors read. The real name never stands in for it: not every agent wants visitors to know it.
pub(crate) fn public_name(connection: &mut PgConnection, id: PersonId) -> Result<String, Failure> {
    let rows: Vec<(String,)> = statement::<(Text,)>("SELECT public_name FROM person WHERE id = ?")
        .bind::<SqlUuid, _>(id.0)
        .load(connection)?;
    Ok(rows.into_iter().next().map(|(name,)| name).unwrap_or_default())
}

type PersonTuple = (Uuid, String, Vec<Uuid>, i32, bool);

/// Everybody.
pub(crate) fn people(connection: &mut PgConnection) -> Result<Vec<(PersonId, Person)>, Failure> {
    let rows: Vec<PersonTuple> =
        statement::<(SqlUuid, Text, Array<SqlUuid>, Integer, Bool)>("SELECT id, role, skill_groups, capacity, enabled FROM person")
            .load(connection)?;
    let person = |(id, role, groups, capacity, enabled): PersonTuple| {
        let place = || unreadable(place("person", id));
        let person = Person {
            role: value_of(&role).ok_or_else(place)?,
            skill_groups: groups.into_iter().map(SkillGroupId).collect(),
            capacity: u32::try_from(capacity).map_err(|_negative| place())?,
            enabled,
        };
        Ok((PersonId(id), person))
    };
    rows.into_iter().map(person).collect()
}

/// The sealed secrets of the channel of a Page, and the channel's id.
pub(crate) fn channel_secrets(connection: &mut PgConnection, page: &str) -> Result<Option<(Uuid, Vec<u8>)>, Failure> {
    let rows: Vec<(Uuid, Vec<u8>)> = statement::<(SqlUuid, Binary)>("SELECT id, secrets FROM channel WHERE page_id = ?")
        .bind::<Text, _>(page)
        .load(connection)?;
    Ok(rows.into_iter().next())
}

type BotTuple = (String, Option<String>, bool, i32, Vec<u8>);

/// A bot as the table has one.
pub(crate) struct BotRow {
    pub(crate) client_id: String,
    pub(crate) base_url: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) deadline_ms: i32,
    pub(crate) secrets: Vec<u8>,
}

pub(crate) fn bot(connection: &mut PgConnection, id: BotId) -> Result<Option<BotRow>, Failure> {
    let rows: Vec<BotTuple> = statement::<(Text, Nullable<Text>, Bool, Integer, Binary)>(
        "SELECT client_id, base_url, enabled, deadline_ms, secrets FROM bot WHERE id = ?",
    )
    .bind::<SqlUuid, _>(id.0)
    .load(connection)?;
    let bot = rows.into_iter().next();
    Ok(bot.map(|(client_id, base_url, enabled, deadline_ms, secrets)| BotRow {
        client_id,
        base_url,
        enabled,
        deadline_ms,
        secrets,
    }))
}
