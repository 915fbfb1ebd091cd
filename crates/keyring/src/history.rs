//! The usage of a key, and the people of a tenant who still use legacy authentication.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use domain::{
    id::KeyId,
    usage::{KeyUsage, LegacyUser, OutcomeCounts, Range, Step, UsageQuery},
    usage_record::whole_hour,
    zone::TimeZone,
};
use store::{StoreError, history::HourCount};

use crate::{
    Keyring,
    access::{TenantAdmin, ViewKeys},
    error::{Error, Thing},
};

impl Keyring {
    /// A key with its chart and one page of its log in one snapshot: usage written concurrently appears in all of them
    /// or in none.
    ///
    /// # Errors
    /// If there is no such key.
    pub async fn key_usage(&self, viewer: &impl ViewKeys, id: &KeyId, query: &UsageQuery) -> Result<KeyUsage, Error> {
        let (tenant, now) = (&viewer.tenant().id, self.now());
        let chart = Chart::until(now, TimeZone::of(viewer.tenant()));
        let snapshot = self.database.snapshot().await?;
        let key =
            store::keys::find_key(&snapshot, viewer.key_scope(), id, now).await?.ok_or(Error::NotFound(Thing::Key))?;
        let counts = store::history::hours(&snapshot, tenant, id, chart.earliest()).await?;
        let log = store::history::log(&snapshot, tenant, id, query.outcome, query.start, now).await?;
        snapshot.commit().await.map_err(StoreError::from)?;
        Ok(KeyUsage {
            key,
            steps: chart.steps(&counts, query.range),
            lately: chart.steps(&counts, Range::Month).iter().map(|step| &step.counts).collect(),
            log,
        })
    }

    /// The tenant's people who still call the API with a password of their own.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn legacy_users(&self, admin: &TenantAdmin) -> Result<Vec<LegacyUser>, Error> {
        Ok(store::history::legacy_users(self.database.connection(), admin.id()).await?)
    }
}

/// Charts that end now, on the tenant's clocks.
struct Chart {
    now: DateTime<Utc>,
    zone: TimeZone,
}

impl Chart {
    fn until(now: DateTime<Utc>, zone: TimeZone) -> Self {
        Self { now, zone }
    }

    /// Since when hours can be part of any chart: a day more than the longest, for days that begin elsewhere.
    fn earliest(&self) -> DateTime<Utc> {
        self.now - Days::new(Range::Month.steps() as u64 + 1)
    }

    fn steps(&self, counts: &[HourCount], range: Range) -> Vec<Step> {
        match range {
            Range::Day => self.hours(counts),
            Range::Month => self.days(counts),
        }
    }

    /// Hours by the instant, so that an hour that the clocks show twice is two of them.
    fn hours(&self, counts: &[HourCount]) -> Vec<Step> {
        let mut counts = sums_by(counts, |hour| hour);
        let this_hour = whole_hour(self.now);
        let step = |ago: usize| {
            let hour = this_hour - TimeDelta::hours(ago as i64);
            Step { begins: self.zone.local(hour), counts: counts.remove(&hour).unwrap_or_default() }
        };
        (0..Range::Day.steps()).rev().map(step).collect()
    }

    /// Days by the tenant's date, which have 23 to 25 hours. An hour belongs to the day in which it begins.
    fn days(&self, counts: &[HourCount]) -> Vec<Step> {
        let mut counts = sums_by(counts, |hour| self.zone.local(hour).date());
        let today = self.zone.local(self.now).date();
        let step = |ago: usize| {
            let date = today - Days::new(ago as u64);
            Step { begins: date.and_time(NaiveTime::MIN), counts: counts.remove(&date).unwrap_or_default() }
        };
        (0..Range::Month.steps()).rev().map(step).collect()
    }
}

fn sums_by<K: Ord>(counts: &[HourCount], place: impl Fn(DateTime<Utc>) -> K) -> BTreeMap<K, OutcomeCounts> {
    let mut sums: BTreeMap<K, OutcomeCounts> = BTreeMap::new();
    for count in counts {
        sums.entry(place(count.hour)).or_default().add(count.outcome, count.count);
    }
    sums
}
