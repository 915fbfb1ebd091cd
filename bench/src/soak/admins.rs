//! Admins of the tenants, who are signed in and click at any of the nodes.

use std::time::Instant;

use domain::{
    expiration::ExpirationDraft,
    id::KeyId,
    key_draft::{Grace, KeyDraft},
    person::Role,
};
use futures::future::try_join_all;
use keyring::{Keyring, NewPerson, TenantAdmin};
use rand::RngExt;
use reqwest::{Client, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{slots::Key, tally::Tally};
use crate::{Result, fill};

const ADMIN_PASSWORD: &str = "correct horse battery staple";

/// Enough admins of each tenant that none of them reaches the limit of 60 changes a minute.
const ADMINS_PER_TENANT: usize = 10;

pub struct Admins {
    client: Client,
    nodes: Vec<String>,
    tenants: Vec<Tenant>,
}

struct Tenant {
    /// Those of its admins' sessions.
    cookies: Vec<String>,
    /// The group that new keys get.
    group: String,
}

/// A secret as the console shows it, once.
#[derive(Deserialize)]
pub struct Shown {
    pub id: KeyId,
    pub secret: String,
}

/// The access that a key is to have.
#[derive(Clone, Copy)]
pub enum Access {
    Full,
    /// It may not read any more.
    WriteOnly,
    /// The key may not be used from the address that all requests come from.
    Elsewhere,
}

/// The outcome of a change is unknown.
#[derive(Debug, thiserror::Error)]
#[error("the node could not say what became of the change")]
pub struct OutcomeUnknown;

impl Admins {
    pub async fn sign_in(keyring: &Keyring, nodes: &[String], tenants: usize) -> Result<Self> {
        let mut admins = Self { client: Client::new(), nodes: nodes.to_owned(), tenants: Vec::new() };
        for tenant in 0..tenants {
            let tenant = admins.sign_in_to(keyring, &fill::slug(tenant)).await?;
            admins.tenants.push(tenant);
        }
        Ok(admins)
    }

    async fn sign_in_to(&self, keyring: &Keyring, slug: &str) -> Result<Tenant> {
        let operator = keyring.operator_for(slug).await?;
        let groups = keyring.groups(&operator).await?;
        let group = groups.iter().find(|group| group.name == fill::FULL_ACCESS).ok_or("no group for keys")?;
        let emails = (0..ADMINS_PER_TENANT).map(|number| format!("admin-{number}@{slug}.test"));
        let cookies = try_join_all(emails.map(|email| self.create_and_sign_in(keyring, &operator, email))).await?;
        Ok(Tenant { cookies, group: group.id.to_string() })
    }

    /// Creates an admin, and returns the cookie of their session.
    async fn create_and_sign_in(&self, keyring: &Keyring, operator: &TenantAdmin, email: String) -> Result<String> {
        let person = NewPerson { email: email.clone(), name: "Admin".to_owned(), password: ADMIN_PASSWORD.into() };
        keyring.create_person(Some(operator), Role::TenantAdmin, person).await?;
        let form = [("email", email.as_str()), ("password", ADMIN_PASSWORD), ("next", "")];
        let answer = self.request(0, "sign_in").form(&form).send().await?.error_for_status()?;
        let cookie = answer.headers().get(header::SET_COOKIE).ok_or("the sign-in set no cookie")?.to_str()?;
        Ok(cookie.split(';').next().unwrap_or_default().to_owned())
    }

    fn request(&self, node: usize, function: &str) -> reqwest::RequestBuilder {
        self.client.post(format!("{}/console/{function}", self.nodes[node])).header("sec-fetch-site", "same-origin")
    }

    /// Makes changes through any node and reports the outcome.
    async fn click(
        &self,
        tenant: usize,
        function: &str,
        arguments: &impl Serialize,
        tally: &Tally,
    ) -> Result<reqwest::Response> {
        let node = rand::rng().random_range(..self.nodes.len());
        let begun = Instant::now();
        let cookie = &self.tenants[tenant].cookies[rand::rng().random_range(..ADMINS_PER_TENANT)];
        let request = self.request(node, function).header(header::COOKIE, cookie);
        let answer = request.json(arguments).send().await?;
        let status = answer.status();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            return Err(OutcomeUnknown.into());
        }
        if !status.is_success() {
            return Err(format!("node {node} answered {function} with {status}: {}", answer.text().await?).into());
        }
        tally.changed(function, begun.elapsed());
        Ok(answer)
    }

    pub async fn generate(&self, tenant: usize, tally: &Tally) -> Result<Shown> {
        let draft = self.draft(tenant, Access::Full);
        let arguments = json!({ "of": "tenant", "draft": draft, "expiration": ExpirationDraft::Never });
        Ok(self.click(tenant, "generate_key", &arguments, tally).await?.json().await?)
    }

    pub async fn edit(&self, key: &mut Key, terms: Access, tally: &Tally) -> Result<()> {
        let draft = self.draft(key.tenant, terms);
        let arguments = json!({ "of": "tenant", "id": key.id, "seen": key.version, "draft": draft });
        self.click(key.tenant, "edit_key", &arguments, tally).await?;
        key.version += 1;
        Ok(())
    }

    pub async fn rotate(&self, key: &mut Key, grace: Grace, tally: &Tally) -> Result<Shown> {
        let arguments =
            json!({ "of": "tenant", "id": key.id, "seen": key.version, "expiration": null, "grace": grace });
        let shown = self.click(key.tenant, "rotate_key", &arguments, tally).await?.json().await?;
        key.version += 1;
        Ok(shown)
    }

    /// Calls a function that takes only the key: `end_grace`, `revoke_key` or `delete_key`.
    pub async fn end(&self, key: &Key, function: &str, tally: &Tally) -> Result<()> {
        self.click(key.tenant, function, &json!({ "of": "tenant", "id": key.id }), tally).await.map(drop)
    }

    fn draft(&self, tenant: usize, terms: Access) -> KeyDraft {
        KeyDraft {
            name: "Integration".to_owned(),
            group: self.tenants[tenant].group.clone(),
            read: !matches!(terms, Access::WriteOnly),
            write: true,
            allowed_ips: if matches!(terms, Access::Elsewhere) { "10.0.0.0/8".to_owned() } else { String::new() },
            rate_limit_per_minute: fill::CALLS_A_MINUTE.to_string(),
            ..KeyDraft::default()
        }
    }
}
