//! How many requests are let through: exact counts in fixed windows, in a store that can be another.

mod budget;
mod memory;

use std::{fmt, future::Future, net::IpAddr, pin::Pin, time::Duration};

use actix_web::{HttpMessage as _, HttpRequest, web::Data};
use sha2::{Digest as _, Sha256};

pub use memory::Memory;

use self::budget::Budget;
use crate::{error::Error, text::fold, urls};

/// How many requests are let through in how much time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// All of them.
    Off,
    /// So many in each window, which begins with the first of them.
    Of { requests: u32, window: Duration },
}

/// The limits that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Of every address.
    Address,
    /// Of an address that has not signed in.
    Anon,
    /// Of a user.
    User,
    /// Of attempts to sign in, of an address and a user name.
    Login,
    /// Of attempts to sign in that fail, of a user name.
    Account,
}

impl Limit {
    pub const ALL: [Self; 5] = [
        Self::Address,
        Self::Anon,
        Self::User,
        Self::Login,
        Self::Account,
    ];

    /// Whether what a request reads is charged to it. An attempt to sign in reads next to nothing.
    fn counts_time(self) -> bool {
        matches!(self, Self::Address | Self::Anon | Self::User)
    }

    /// As answers call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Anon => "anon",
            Self::User => "user",
            Self::Login => "login",
            Self::Account => "account",
        }
    }
}

/// Whose requests are counted together, and for which limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u128);

/// Bits of a key that tell whose it is; those above tell the limit.
const SUBJECT_BITS: u32 = 120;

impl Key {
    /// Of an address. A client with one IPv6 address has the 2^64 of its network, so these count as one.
    pub fn address(limit: Limit, address: IpAddr) -> Self {
        let subject = match address.to_canonical() {
            IpAddr::V4(address) => u128::from(u32::from(address)),
            // One more bit keeps ::/64 apart from the addresses of IPv4.
            IpAddr::V6(address) => 1 << 64 | u128::from(address) >> 64,
        };
        Self::new(limit, subject)
    }

    pub fn user(id: i64) -> Self {
        Self::new(Limit::User, u128::from(id.unsigned_abs()))
    }

    /// Of an address and a user name, in any letter case.
    pub fn login(address: IpAddr, username: &str) -> Self {
        let Self(network) = Self::address(Limit::Login, address);
        Self::named(Limit::Login, &network.to_be_bytes(), username)
    }

    /// Of a user name, in any letter case, from any address.
    pub fn account(username: &str) -> Self {
        Self::named(Limit::Account, &[], username)
    }

    fn named(limit: Limit, network: &[u8], username: &str) -> Self {
        let digest = Sha256::new()
            .chain_update(network)
            .chain_update(fold(username))
            .finalize();
        let mut subject = [0; 16];
        subject.copy_from_slice(&digest[..16]);
        Self::new(limit, u128::from_be_bytes(subject) >> (128 - SUBJECT_BITS))
    }

    /// Of all who find no place of their own; see [`Memory`].
    fn everybody_else(self) -> Self {
        Self(self.0 | ((1 << SUBJECT_BITS) - 1))
    }

    fn new(limit: Limit, subject: u128) -> Self {
        Self((limit as u128) << SUBJECT_BITS | subject)
    }
}

/// What a store says of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// It was one too many, and has not been counted.
    pub over: bool,
    /// How many more the window lets through.
    pub remaining: u32,
    /// How long the window goes on.
    pub reset: Duration,
}

/// What [`Store::take`] gives, sooner or later.
pub type Counted<'a> = Pin<Box<dyn Future<Output = Result<Count, Error>> + Send + 'a>>;

/// What [`Store::give_back`] gives, sooner or later.
pub type Returned<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// Where requests are counted. However many are counted at once, no window lets more through than its rate.
pub trait Store: Send + Sync {
    /// Counts one request of `key`, unless the window that it falls into is used up.
    fn take(&self, key: Key, requests: u32, window: Duration) -> Counted<'_>;

    /// Takes back one request that was counted for `key`, if its window has not ended.
    fn give_back(&self, key: Key) -> Returned<'_>;
}

/// The rate of each limit.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    pub address: Rate,
    pub anon: Rate,
    pub user: Rate,
    pub login: Rate,
    pub account: Rate,
    /// Database time that a request may cost on average: a rate of 100 lets so many times as much through.
    pub query_budget: Option<Duration>,
}

impl Rates {
    pub const OFF: Self = Self {
        address: Rate::Off,
        anon: Rate::Off,
        user: Rate::Off,
        login: Rate::Off,
        account: Rate::Off,
        query_budget: None,
    };

    fn of(self, limit: Limit) -> Rate {
        match limit {
            Limit::Address => self.address,
            Limit::Anon => self.anon,
            Limit::User => self.user,
            Limit::Login => self.login,
            Limit::Account => self.account,
        }
    }
}

/// The limits of a server, and where it counts.
pub struct Limits {
    rates: Rates,
    budget: Budget,
    store: Box<dyn Store>,
}

/// How far a request is from being refused by the nearest of the limits that it met.
#[derive(Debug, Clone, Copy)]
pub struct Nearest {
    limit: Limit,
    requests: u32,
    window: Duration,
    count: Count,
}

impl Limits {
    /// Counts in `store`.
    pub fn new(rates: Rates, store: impl Store + 'static) -> Self {
        Self {
            rates,
            budget: Budget::new(rates.query_budget),
            store: Box::new(store),
        }
    }

    /// Counts one request for one limit, and notes it for [`nearest`].
    ///
    /// # Errors
    /// 429 for one too many; those of the store.
    async fn take(&self, request: &HttpRequest, limit: Limit, key: Key) -> Result<(), Error> {
        let Some(met) = self.count(limit, key).await? else {
            return Ok(());
        };
        met.note(request);
        met.judge()
    }

    /// Counts one request for one limit, if there is one.
    async fn count(&self, limit: Limit, key: Key) -> Result<Option<Nearest>, Error> {
        let Rate::Of { requests, window } = self.rates.of(limit) else {
            return Ok(None);
        };
        let mut count = self.store.take(key, requests, window).await?;
        if !count.over && limit.counts_time() {
            let used_up = self.budget.charge(limit, key, (requests, window));
            count = used_up.unwrap_or(count);
        }
        Ok(Some(Nearest {
            limit,
            requests,
            window,
            count,
        }))
    }
}

impl Nearest {
    /// Notes it for the answer, unless another limit is nearer.
    fn note(self, request: &HttpRequest) {
        let Self { count, .. } = self;
        let mut extensions = request.extensions_mut();
        let is_nearest = |known: &Self| count.over || count.remaining < known.count.remaining;
        if extensions.get::<Self>().is_none_or(is_nearest) {
            extensions.insert(self);
        }
    }

    /// Refuses one request too many.
    fn judge(self) -> Result<(), Error> {
        let Self { limit, count, .. } = self;
        match (count.over, limit) {
            (false, _) => Ok(()),
            (true, Limit::Address) => Err(Error::RateLimited(seconds(count.reset))),
            (true, _) => Err(Error::Throttled(seconds(count.reset))),
        }
    }
}

/// An attempt to sign in that counts as failed until it has succeeded. So however many are made at once, no more of them fail
/// than the limit says.
pub struct Attempt {
    key: Key,
    met: Option<Nearest>,
}

impl Attempt {
    /// Counts an attempt at the account of that name.
    ///
    /// # Errors
    /// 429 when too many have failed.
    pub async fn begin(request: &HttpRequest, username: &str) -> Result<Self, Error> {
        let key = Key::account(username);
        let met = limits(request)?.count(Limit::Account, key).await?;
        if let Some(met) = met.filter(|met| met.count.over) {
            met.note(request);
            met.judge()?;
        }
        Ok(Self { key, met })
    }

    /// Notes for the answer that it has failed.
    pub fn failed(self, request: &HttpRequest) {
        if let Some(met) = self.met {
            met.note(request);
        }
    }

    /// Takes back that it was counted.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn succeeded(self, request: &HttpRequest) -> Result<(), Error> {
        match self.met {
            Some(_) => limits(request)?.store.give_back(self.key).await,
            None => Ok(()),
        }
    }
}

/// Counts a request for its address.
///
/// # Errors
/// 429 for one too many.
pub async fn count_address(request: &HttpRequest, limit: Limit) -> Result<(), Error> {
    let key = Key::address(limit, urls::client_address(request));
    limits(request)?.take(request, limit, key).await
}

/// Counts a request for the user who sent it.
///
/// # Errors
/// 429 for one too many.
pub async fn count_user(request: &HttpRequest, id: i64) -> Result<(), Error> {
    limits(request)?
        .take(request, Limit::User, Key::user(id))
        .await
}

/// Counts an attempt to sign in.
///
/// # Errors
/// 429 for one too many.
pub async fn count_login(request: &HttpRequest, username: &str) -> Result<(), Error> {
    let key = Key::login(urls::client_address(request), username);
    limits(request)?.take(request, Limit::Login, key).await
}

/// The nearest limit that the request met, when it met any.
pub fn nearest(request: &HttpRequest) -> Option<Nearest> {
    request.extensions().get::<Nearest>().copied()
}

fn limits(request: &HttpRequest) -> Result<&Data<Limits>, Error> {
    request
        .app_data()
        .ok_or_else(|| Error::Internal("the application has no limits".to_owned()))
}

/// Whole seconds, after which the time has passed for certain.
fn seconds(time: Duration) -> u64 {
    time.as_millis()
        .div_ceil(1_000)
        .try_into()
        .unwrap_or(u64::MAX)
}

impl Nearest {
    /// Which limit refused the request, if one did.
    pub fn hit(&self) -> Option<Limit> {
        self.count.over.then_some(self.limit)
    }

    /// The header `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10).
    pub fn policy(&self) -> String {
        let (name, window) = (self.limit.name(), self.window.as_secs());
        format!("\"{name}\";q={};w={window}", self.requests)
    }
}

/// The header `RateLimit` of the same draft.
impl fmt::Display for Nearest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, reset) = (self.limit.name(), seconds(self.count.reset));
        write!(out, "\"{name}\";r={};t={reset}", self.count.remaining)
    }
}
