//! The restrictions of a key, as its row stores them.

use domain::{network::IpNet, origin::Origin, rate_limit::RateLimit, scope::Scopes};

use super::super::{entity::api_key, from_lines, readable, Result};

pub struct Restrictions {
    pub scopes: Scopes,
    pub allowed_ips: Vec<IpNet>,
    pub allowed_origins: Vec<Origin>,
    pub rate_limit: RateLimit,
}

impl Restrictions {
    pub fn read(key: &api_key::Model) -> Result<Self> {
        let limit = u16::try_from(key.rate_limit_per_minute).ok().and_then(|limit| RateLimit::try_from(limit).ok());
        Ok(Self {
            scopes: readable("scopes", &key.scopes, Scopes::parse(&key.scopes))?,
            allowed_ips: from_lines("a range of addresses", &key.allowed_ips, str::parse::<IpNet>)?,
            allowed_origins: from_lines("an origin", &key.allowed_origins, Origin::parse)?,
            rate_limit: readable("a rate limit", &key.rate_limit_per_minute.to_string(), limit.ok_or(()))?,
        })
    }
}
