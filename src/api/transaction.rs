//! The one way in which handlers write: in a transaction that judges the caller before it does anything.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};

use super::Answer;
use crate::{
    auth::{Guard, caller},
    db::{Db, DbConnection, Stamp},
    error::Error,
    middleware::request_id,
    models::{Author, KeptAnswer, Retry},
    openapi::{Describe, Operation},
    urls,
};

/// Extractor for a transaction that writes.
#[derive(Clone)]
pub struct Transaction {
    db: Data<Db>,
    author: Author,
}

impl Transaction {
    /// Runs `work` once `guard` has judged the caller again, in one transaction.
    ///
    /// # Errors
    /// 401 and 403 when the caller may no more, and those of `work`; nothing is written then.
    pub async fn run<G, T>(
        self,
        guard: G,
        work: impl FnOnce(&mut DbConnection, G::By, Author) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error>
    where
        G: Guard + Send,
        T: Send + 'static,
    {
        self.begin(move |conn, author| {
            let by = guard.judge(conn)?;
            work(conn, by, author)
        })
        .await
    }

    /// As [`run`](Self::run), and answers the same request only once, however often it is sent under one key.
    ///
    /// # Errors
    /// As [`run`](Self::run), and 422 when the key was another request's.
    pub async fn once<G, A>(
        self,
        guard: G,
        retry: Option<Retry>,
        work: impl FnOnce(&mut DbConnection, G::By, Author) -> Result<Answer<A>, Error> + Send + 'static,
    ) -> Result<Answer<A>, Error>
    where
        G: Guard + Send,
        A: 'static,
    {
        self.run(guard, move |conn, by, author| {
            let Some(retry) = retry else {
                return work(conn, by, author);
            };
            if let Some(kept) = retry.claim(conn, Stamp::now())? {
                return replay(&retry, kept);
            }
            let answer = work(conn, by, author)?;
            let (status, id, body) = answer.to_keep();
            retry.keep(conn, status, id, body)?;
            Ok(answer)
        })
        .await
    }

    /// Runs `work` in a transaction, which has to begin with judging the caller.
    pub(super) async fn begin<T: Send + 'static>(
        self,
        work: impl FnOnce(&mut DbConnection, Author) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let author = self.author;
        self.db.write(move |conn| work(conn, author)).await
    }
}

/// Gives an answer again.
///
/// # Errors
/// 422 when it was the answer to another request.
pub fn replay<A>(retry: &Retry, kept: KeptAnswer) -> Result<Answer<A>, Error> {
    if kept.fingerprint == retry.fingerprint {
        Ok(kept.into())
    } else {
        Err(Error::KeyReused)
    }
}

impl FromRequest for Transaction {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let db = request.app_data::<Data<Db>>().cloned();
        let transaction = author(request).and_then(|author| {
            let missing = || Error::Internal("the application has no database".to_owned());
            Ok(Self {
                db: db.ok_or_else(missing)?,
                author,
            })
        });
        ready(transaction)
    }
}

impl Describe for Transaction {
    fn describe(_: &mut Operation) {}
}

/// Who sends this request.
fn author(request: &HttpRequest) -> Result<Author, Error> {
    Ok(Author {
        username: caller(request)?.map(|user| user.username),
        request_id: request_id(request),
        address: Some(urls::client_address(request).to_string()),
    })
}
